// Package kafka is a Watermill Publisher and Subscriber for Apache Kafka on segmentio/kafka-go. It exists because the usual
// adapters have one message in flight per partition: here thousands run at once, while messages of one key stay in order, and
// an offset is committed only when everything below it is done. README.md explains its loops, its locks and the life of a message.
package kafka
