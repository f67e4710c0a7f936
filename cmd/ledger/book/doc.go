// Package book turns what becomes of payments into double-entry postings. It exists so that what is posted is one pure function of where a
// payment stands (PositionOf): an event posts the difference between that and what is posted already, so that no order of events, no repeat
// and no event that was missed can make the books drift from what the provider said last.
//
// The chart of accounts and the table of postings are in README.md.
package book
