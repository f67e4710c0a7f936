// Package consumer reads status events from Kafka and gives each change to a service once, in a transaction of the service's own database.
// It exists because fulfillment and ledger do the same up to there: a Watermill router whose lanes keep the events of a payment in order,
// the consumer kit that says what is news, and a writer that commits many events together.
//
// A record is acknowledged when the transaction that holds its event and its effect is committed. Whatever ends in between, the record comes
// again, and its id is known.
package consumer
