package store_test

import (
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/cmd/internal/consumertest"
	"github.com/paystatus/paystatus/cmd/internal/store"
)

func TestADatabaseIsNamedWithoutItsPassword(t *testing.T) {
	t.Parallel()
	for database, want := range map[string]string{
		"state.db":                              "state.db",
		"postgres://u@h/d":                      "postgres://u@h/d",
		"postgres://u:secret@h:5432/d?x=y":      "postgres://u:xxxxx@h:5432/d?x=y",
		"postgresql://u@h/d?password=secret":    "postgresql://u@h/d?password=xxxxx",
		"postgres://u:secret%ZZ@h/d":            "a URL that cannot be read",
		"postgres://u:se cret@h/d?password=abc": "a URL that cannot be read",
	} {
		assert.Equal(t, want, store.Masked(database))
	}
}

func TestNoErrorShowsAPassword(t *testing.T) {
	t.Parallel()
	for _, database := range []string{
		"postgres://u:secret@127.0.0.1:1/d", "postgres://u:secret@127.0.0.1:1/d?sslmode=nonsense", "postgres://u:secret%ZZ@h/d", "mysql://u:secret@h/d",
		"postgres://127.0.0.1:1/d?user=u&password=secret",
	} {
		_, err := store.Open(t.Context(), database, "test", migrations)
		require.Error(t, err)
		assert.NotContains(t, err.Error(), "secret")
	}
}

var migrations = fstest.MapFS{
	"migrations/sqlite/00001_a.sql":   {Data: []byte("-- +goose Up\nCREATE TABLE a (n INTEGER);\n")},
	"migrations/postgres/00001_a.sql": {Data: []byte("-- +goose Up\nCREATE TABLE a (n INTEGER);\n")},
}

func TestADatabaseIsMadeOnceAndLookedAtWithoutChange(t *testing.T) {
	t.Parallel()
	for name, database := range consumertest.Databases(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if name == "SQLite" {
				_, err := store.OpenExisting(t.Context(), database, "test", migrations)
				require.ErrorContains(t, err, "there is no database yet")
			}
			for range 2 {
				db, err := store.Open(t.Context(), database, "test", migrations)
				require.NoError(t, err)
				require.NoError(t, db.Close())
			}
			db, err := store.OpenExisting(t.Context(), database, "test", migrations)
			require.NoError(t, err)
			require.NoError(t, db.Close())

			newer := fstest.MapFS{
				"migrations/sqlite/00001_a.sql": migrations["migrations/sqlite/00001_a.sql"], "migrations/postgres/00001_a.sql": migrations["migrations/postgres/00001_a.sql"],
				"migrations/sqlite/00002_b.sql":   {Data: []byte("-- +goose Up\nCREATE TABLE b (n INTEGER);\n")},
				"migrations/postgres/00002_b.sql": {Data: []byte("-- +goose Up\nCREATE TABLE b (n INTEGER);\n")},
			}
			_, err = store.OpenExisting(t.Context(), database, "test", newer)
			require.ErrorContains(t, err, "its tables have version 1, not 2: `test run` of this version brings them up to date")
		})
	}
}
