-- +goose Up
CREATE TABLE known_payments (
    consumer   TEXT NOT NULL,
    provider   TEXT NOT NULL,
    account    TEXT NOT NULL,
    payment_id TEXT NOT NULL,
    known      TEXT NOT NULL,
    PRIMARY KEY (consumer, payment_id, provider, account)
) WITHOUT ROWID;

CREATE TABLE refused_records (
    consumer         TEXT NOT NULL,
    topic            TEXT NOT NULL,
    "partition"      INTEGER NOT NULL,
    record_offset    BIGINT NOT NULL,
    record_key       TEXT NOT NULL,
    reason           TEXT NOT NULL,
    value            BLOB,
    refused_at       TIMESTAMP NOT NULL,
    PRIMARY KEY (consumer, topic, "partition", record_offset)
);
