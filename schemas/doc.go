// Package schemas is the vocabulary of paystatus: the statuses and their transitions, the two public events, the
// identity of a change, and the documents (JSON Schema, AsyncAPI, examples) that other programs read.
//
// Everything here is public API for the services that consume status events; nothing here knows a provider or Kafka.
package schemas
