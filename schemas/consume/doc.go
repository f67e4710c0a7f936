// Package consume reads status events safely, whichever Kafka client brings them: it decodes an event, holds it against what
// is known of its payment, and says what is news. Delivery is at least once, topics are read again from the beginning, backfills
// repeat and processes that stalled write late; a service that books money or ships goods must act once on each change all the same.
//
// Decode turns headers and value into an Event. Known.Next judges an event and is pure. Handle does both halves of a
// transaction around it: it loads what is known, judges, lets the service act, and stores. CONSUMING.md, a folder up, has the rules for
// those who write another language.
package consume
