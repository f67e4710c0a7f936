// Package providers says what a payment service provider is to paystatus, and holds what all of them share: the outcomes a
// check can come to, the HTTP transport with its limits, the reading of HTTP statuses, the exact raw answer.
//
// Each provider is a folder below. A provider asks (Ask: requests, no interpretation) and reads (Read: pure
// interpretation, no I/O); everything between, when to ask and what to say, is not its business.
package providers
