// Package store keeps what a consumer of status events must not forget in a SQL database, SQLite or PostgreSQL: what it knows of each
// payment, with the ids of the events that it took, and the records that it could not take. It exists so that this is written in the
// transaction that also writes the effect. Then nothing can come between the two, and Kafka's offsets need no part in it: a record that is
// delivered again brings an id that is known already.
package store
