-- +goose Up
CREATE TABLE orders (
    order_id            TEXT PRIMARY KEY,
    state               TEXT NOT NULL,
    released_provider   TEXT,
    released_account    TEXT,
    released_payment_id TEXT,
    return_requested    BOOLEAN NOT NULL DEFAULT FALSE
) WITHOUT ROWID;

CREATE TABLE attempts (
    payment_id TEXT NOT NULL,
    provider   TEXT NOT NULL,
    account    TEXT NOT NULL,
    order_id   TEXT NOT NULL REFERENCES orders (order_id),
    status     TEXT NOT NULL,
    final      BOOLEAN NOT NULL,
    refunded   BIGINT NOT NULL,
    held       TEXT NOT NULL,
    flagged    BOOLEAN NOT NULL,
    PRIMARY KEY (payment_id, provider, account)
) WITHOUT ROWID;
CREATE INDEX attempts_order ON attempts (order_id);

CREATE TABLE actions (
    number     INTEGER PRIMARY KEY AUTOINCREMENT,
    action_key TEXT NOT NULL UNIQUE,
    kind       TEXT NOT NULL,
    order_id   TEXT NOT NULL REFERENCES orders (order_id),
    provider   TEXT NOT NULL,
    account    TEXT NOT NULL,
    payment_id TEXT NOT NULL,
    event_id   TEXT NOT NULL,
    reason     TEXT NOT NULL,
    amount     BIGINT,
    currency   TEXT,
    exponent   INTEGER,
    decided_at TIMESTAMP NOT NULL
);
CREATE INDEX actions_order ON actions (order_id);
