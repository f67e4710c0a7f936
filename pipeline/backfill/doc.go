// Package backfill asks providers again about payments of the past: after an outage, a wrong mapping, lost messages, or because an
// auditor wants to know. It reads which payments there were from the initiated events, or from a file, and what was last said
// about each from the emitted log, which is the truth about that.
//
// A Check goes through the pipeline: what it finds is said as everything else is, with the ids that it would have had at the
// time, so that a consumer that has seen an event drops it. A Verify asks by itself, says nothing, and lists what differs.
package backfill
