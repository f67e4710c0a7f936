// Package handlers holds the steps of the pipeline as plain functions from a message to messages: intake, check,
// notification, redriven. They have no broker and no socket of their own; asking a provider is the one thing they do to the
// outside, and what they write is written by their caller, in order, each record acknowledged before the next.
package handlers
