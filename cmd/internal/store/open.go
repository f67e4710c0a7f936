package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/uuid"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver pgx
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
	_ "modernc.org/sqlite" // the driver sqlite
)

// dialect is what the two databases do differently.
type dialect struct {
	driver     string
	goose      goose.Dialect
	migrations string // the folder of its migrations
}

var (
	sqlite   = dialect{driver: "sqlite", goose: goose.DialectSQLite3, migrations: "migrations/sqlite"}
	postgres = dialect{driver: "pgx", goose: goose.DialectPostgres, migrations: "migrations/postgres"}
)

// own are the tables of this package.
//
//go:embed migrations
var own embed.FS

// DB is an open database. Consumers of different names share one without meeting.
type DB struct {
	*sql.DB

	// Identity names the consumer and this database of all that it may have; none but Open knows it.
	Identity string

	dialect  dialect
	consumer string
}

// Open opens a database, makes it where there is none, and brings its tables up to date: this package's, and those of the consumer,
// whose migrations stand in folders migrations/sqlite and migrations/postgres. Name is the consumer's. The database is a URL of
// PostgreSQL (postgres://…) or the path of a file for SQLite. No error shows a password.
func Open(ctx context.Context, database, name string, migrations fs.FS) (*DB, error) {
	db, err := connect(ctx, database, name)
	if err != nil {
		return nil, err
	}
	for table, files := range map[string]fs.FS{"consumer_migrations": own, name + "_migrations": migrations} {
		provider, err := db.provider(table, files)
		if err == nil {
			_, err = provider.Up(ctx)
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("bring the tables of %s up to date: %w", Masked(database), err), db.Close())
		}
	}
	if err := db.identify(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("identify %s: %w", Masked(database), err), db.Close())
	}
	return db, nil
}

// identify gives the consumer's part of the database a name that no other has, once.
func (db *DB) identify(ctx context.Context) error {
	_, err := db.ExecContext(ctx, `INSERT INTO identities (consumer, identity) VALUES ($1, $2) ON CONFLICT DO NOTHING`,
		db.consumer, db.consumer+" "+uuid.NewString())
	if err != nil {
		return err
	}
	return db.QueryRowContext(ctx, `SELECT identity FROM identities WHERE consumer = $1`, db.consumer).Scan(&db.Identity)
}

// OpenExisting opens a database to look at what a consumer wrote there; it creates and changes nothing.
func OpenExisting(ctx context.Context, database, name string, migrations fs.FS) (*DB, error) {
	if !isPostgres(database) {
		if _, err := os.Stat(database); err != nil {
			return nil, fmt.Errorf("there is no database yet, `%s run` makes it: %w", name, err)
		}
	}
	db, err := connect(ctx, database, name)
	if err != nil {
		return nil, err
	}
	provider, err := db.provider(name+"_migrations", migrations)
	if err == nil {
		var current, target int64
		if current, target, err = provider.GetVersions(ctx); err == nil && current != target {
			err = fmt.Errorf("its tables have version %d, not %d: `%s run` of this version brings them up to date", current, target, name)
		}
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", Masked(database), err), db.Close())
	}
	return db, nil
}

func connect(ctx context.Context, database, name string) (*DB, error) {
	db := &DB{dialect: sqlite, consumer: name}
	source, err := sqliteSource(database)
	if isPostgres(database) {
		db.dialect, source, err = postgres, database, nil
	}
	if err != nil {
		return nil, err
	}
	if db.DB, err = sql.Open(db.dialect.driver, source); err != nil {
		return nil, fmt.Errorf("open %s: %w", Masked(database), err) // pgx masks the password in what it quotes
	}
	if db.dialect == sqlite {
		db.SetMaxOpenConns(1) // one writer; a second connection of ours would only wait for the first
	}
	if err := db.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", Masked(database), err), db.Close())
	}
	return db, nil
}

func isPostgres(database string) bool {
	return strings.HasPrefix(database, "postgres://") || strings.HasPrefix(database, "postgresql://")
}

// sqliteSource is a file with the settings that a store of money needs: readers do not block the writer (WAL), a commit is on disk before
// an offset is committed to Kafka (synchronous FULL; NORMAL may lose the last commits with the power), and foreign keys hold.
func sqliteSource(path string) (string, error) {
	if path == "" || strings.Contains(path, "://") {
		return "", fmt.Errorf("the database is a URL postgres://… or the path of a file for SQLite, not %q", Masked(path))
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("open %s: %w", path, err)
	}
	settings := url.Values{
		"_pragma":      {"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)"},
		"_txlock":      {"immediate"},
		"_time_format": {"sqlite"},
	}
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(absolute), RawQuery: settings.Encode()}).String(), nil
}

// Masked is a database's name as logs and errors may show it: without a password.
func Masked(database string) string {
	u, err := url.Parse(database)
	switch {
	case err == nil && u.Scheme != "":
		if query := u.Query(); query.Has("password") {
			query.Set("password", "xxxxx")
			u.RawQuery = query.Encode()
		}
		return u.Redacted()
	case strings.Contains(database, "://"):
		return "a URL that cannot be read"
	default:
		return database
	}
}

// provider runs migrations. Two consumers that start at once wait for each other.
func (db *DB) provider(table string, files fs.FS) (*goose.Provider, error) {
	folder, err := fs.Sub(files, db.dialect.migrations)
	if err != nil {
		return nil, err
	}
	options := []goose.ProviderOption{goose.WithTableName(table), goose.WithDisableGlobalRegistry(true)}
	if db.dialect == postgres {
		locker, err := lock.NewPostgresSessionLocker()
		if err != nil {
			return nil, err
		}
		options = append(options, goose.WithSessionLocker(locker))
	}
	return goose.NewProvider(db.dialect.goose, db.DB, folder, options...)
}
