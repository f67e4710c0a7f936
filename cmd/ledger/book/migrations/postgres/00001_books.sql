-- +goose Up
CREATE TABLE transactions (
    number         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    transaction_id TEXT NOT NULL UNIQUE,
    event_id       TEXT NOT NULL,
    part           TEXT NOT NULL,
    payment_id     TEXT NOT NULL,
    provider       TEXT NOT NULL,
    account        TEXT NOT NULL,
    status         TEXT NOT NULL,
    observed_at    TIMESTAMPTZ NOT NULL,
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
);

CREATE TABLE payments (
    payment_id TEXT NOT NULL,
    provider   TEXT NOT NULL,
    account    TEXT NOT NULL,
    status     TEXT NOT NULL,
    question   TEXT NOT NULL,
    PRIMARY KEY (payment_id, provider, account)
);
CREATE INDEX payments_question ON payments (question) WHERE question <> '';

-- The lines of a transaction add up to zero in every unit, checked when it is committed.
-- +goose StatementBegin
CREATE FUNCTION entries_balance() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT 1 FROM entries WHERE transaction_id = NEW.transaction_id GROUP BY currency, exponent HAVING SUM(amount) <> 0
    ) THEN
        RAISE EXCEPTION 'the lines of transaction % do not add up to zero', NEW.transaction_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END;
$$;
-- +goose StatementEnd
CREATE CONSTRAINT TRIGGER entries_balance AFTER INSERT ON entries
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION entries_balance();

-- +goose StatementBegin
CREATE FUNCTION entries_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'an entry is never changed or deleted: post a reversal';
END;
$$;
-- +goose StatementEnd
CREATE TRIGGER entries_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON entries FOR EACH STATEMENT EXECUTE FUNCTION entries_stay();
