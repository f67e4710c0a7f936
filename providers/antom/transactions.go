package antom

import (
	"strings"
	"time"

	"github.com/paystatus/paystatus/schemas/exactjson"
)

// transactions is what the rows of transactions[] come to. None, null and an empty list are the same.
type transactions struct {
	captures, refunds movement
	voids             movement // VOID and CANCEL: the whole payment is called off
	raises            movement // INCREMENTAL: the authorisation was raised
	strange           bool     // something that is not refused has a type or a status that we do not know
}

// movement sums up the rows of one type.
type movement struct {
	succeeded, open, failed int
	total                   total // of the rows that succeeded

	succeededAt, openAt, failedAt time.Time       // of the newest
	failure                       exactjson.Value // transactionResult of the newest row that failed
}

// moves reports whether money was moved or is about to be.
func (m *movement) moves() bool { return m.succeeded > 0 || m.open > 0 }

func (m *movement) any() bool { return m.moves() || m.failed > 0 }

func readTransactions(list exactjson.Value) transactions {
	t := transactions{strange: list.Present() && list.Kind() != exactjson.Array}
	for row := range list.Items() {
		t.add(row)
	}
	return t
}

func (t *transactions) add(row exactjson.Value) {
	status := word(row.Get("transactionStatus"))
	failed := status == "FAIL" || status == "CANCELLED"
	var m *movement
	switch word(row.Get("transactionType")) {
	case "CAPTURE":
		m = &t.captures
	case "REFUND":
		m = &t.refunds
	case "VOID", "CANCEL":
		m = &t.voids
	case "INCREMENTAL":
		m = &t.raises
	case "PAYMENT", "AUTHORIZATION": // paymentStatus says it
		return
	default:
		t.strange = t.strange || !failed
		return
	}
	at := readTime(row.Get("transactionTime"))
	switch {
	case status == "SUCCESS":
		m.succeeded++
		amount, _ := readAmount(row.Get("transactionAmount"))
		m.total.add(amount)
		m.succeededAt = later(m.succeededAt, at)
	case status == "PROCESSING" || status == "PENDING":
		m.open++
		m.openAt = later(m.openAt, at)
	case failed:
		if m.failed == 0 || at.After(m.failedAt) {
			m.failure = row.Get("transactionResult")
		}
		m.failed++
		m.failedAt = later(m.failedAt, at)
	default:
		t.strange = true
	}
}

// word is a status word or a code as it is compared: without regard to letter case and surrounding blanks.
func word(v exactjson.Value) string { return strings.ToUpper(strings.TrimSpace(v.Text())) }

// offsetWithoutColon is how some of Antom's times are written: "+0800".
const offsetWithoutColon = "2006-01-02T15:04:05Z0700"

// readTime reads a time in UTC; zero when there is none that can be read, which never keeps a status back.
func readTime(v exactjson.Value) time.Time {
	text := strings.TrimSpace(v.Str())
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t, err = time.Parse(offsetWithoutColon, text)
	}
	if t = t.UTC(); err != nil || t.Year() < 1 || t.Year() > 9999 {
		return time.Time{}
	}
	return t
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
