-- +goose Up
CREATE TABLE transactions (
    number         INTEGER PRIMARY KEY AUTOINCREMENT,
    transaction_id TEXT NOT NULL UNIQUE,
    event_id       TEXT NOT NULL,
    part           TEXT NOT NULL,
    payment_id     TEXT NOT NULL,
    provider       TEXT NOT NULL,
    account        TEXT NOT NULL,
    status         TEXT NOT NULL,
    observed_at    TIMESTAMP NOT NULL,
    UNIQUE (event_id, part)
);
CREATE INDEX transactions_payment ON transactions (payment_id, provider, account);

CREATE TABLE entries (
    transaction_id TEXT NOT NULL REFERENCES transactions (transaction_id),
    line           INTEGER NOT NULL,
    account        TEXT NOT NULL,
    currency       TEXT NOT NULL,
    exponent       INTEGER NOT NULL,
    amount         BIGINT NOT NULL CHECK (amount <> 0),
    PRIMARY KEY (transaction_id, line)
) WITHOUT ROWID;

CREATE TABLE payments (
    payment_id TEXT NOT NULL,
    provider   TEXT NOT NULL,
    account    TEXT NOT NULL,
    status     TEXT NOT NULL,
    question   TEXT NOT NULL,
    PRIMARY KEY (payment_id, provider, account)
) WITHOUT ROWID;
CREATE INDEX payments_question ON payments (question) WHERE question <> '';

-- SQLite has no triggers that wait for the commit, but it has foreign keys that do. While a transaction's lines do not add up to zero, a row
-- stands in imbalances; it refers to a row of a table that can have none, so that a commit with such a row fails.
CREATE TABLE impossible (
    id TEXT PRIMARY KEY CHECK (FALSE)
);
CREATE TABLE imbalances (
    transaction_id TEXT NOT NULL,
    currency       TEXT NOT NULL,
    exponent       INTEGER NOT NULL,
    amount         BIGINT NOT NULL,
    must_be_gone   TEXT NOT NULL DEFAULT 'before the commit' REFERENCES impossible (id) DEFERRABLE INITIALLY DEFERRED,
    PRIMARY KEY (transaction_id, currency, exponent)
);

-- +goose StatementBegin
CREATE TRIGGER entries_balance AFTER INSERT ON entries
BEGIN
    INSERT INTO imbalances (transaction_id, currency, exponent, amount)
    VALUES (NEW.transaction_id, NEW.currency, NEW.exponent, NEW.amount)
    ON CONFLICT (transaction_id, currency, exponent) DO UPDATE SET amount = amount + excluded.amount;
    DELETE FROM imbalances
    WHERE transaction_id = NEW.transaction_id AND currency = NEW.currency AND exponent = NEW.exponent AND amount = 0;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER entries_keep BEFORE UPDATE ON entries
BEGIN
    SELECT RAISE(ABORT, 'an entry is never changed: post a reversal');
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER entries_stay BEFORE DELETE ON entries
BEGIN
    SELECT RAISE(ABORT, 'an entry is never deleted: post a reversal');
END;
-- +goose StatementEnd
