-- +goose Up
CREATE TABLE identities (
    consumer TEXT PRIMARY KEY,
    identity TEXT NOT NULL
);
