package consumertest

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// Databases gives the databases to test on: SQLite, and PostgreSQL where PAYSTATUS_TEST_POSTGRES names one. Each is empty.
func Databases(t testing.TB) map[string]string {
	t.Helper()
	all := map[string]string{"SQLite": SQLite(t)}
	if os.Getenv(postgresVariable) != "" {
		all["PostgreSQL"] = Postgres(t)
	}
	return all
}

// SQLite gives an empty database.
func SQLite(t testing.TB) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "state.db")
}

const postgresVariable = "PAYSTATUS_TEST_POSTGRES"

// Postgres gives an empty database on the server that PAYSTATUS_TEST_POSTGRES names, a URL.
func Postgres(t testing.TB) string {
	t.Helper()
	server := os.Getenv(postgresVariable)
	require.NotEmpty(t, server, "deployments/postgres/postgres run sets it")
	db, err := sql.Open("pgx", server)
	require.NoError(t, err)
	name := "test_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	_, err = db.ExecContext(t.Context(), "CREATE DATABASE "+name)
	require.NoError(t, err)
	t.Cleanup(func() {
		_, err := db.ExecContext(context.Background(), fmt.Sprintf("DROP DATABASE IF EXISTS %s WITH (FORCE)", name))
		if err != nil {
			t.Log(err)
		}
		_ = db.Close()
	})
	u, err := url.Parse(server)
	require.NoError(t, err)
	u.Path = "/" + name
	return u.String()
}
