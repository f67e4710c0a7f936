package renormalize

import (
	"cmp"
	"slices"

	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/schemas"
)

// Report is what reading a range again came to.
type Report struct {
	Records int64 // read
	Events  int64 // status events among them that were asked for
	Foreign int64 // records that are no status events
	Rows    []Row
}

// Row counts what came to the same.
type Row struct {
	Provider string    `json:"provider"`
	Finding  Finding   `json:"finding"`
	Code     string    `json:"code,omitempty"` // of no_status: why
	Old      *Standing `json:"old,omitempty"`
	New      *Standing `json:"new,omitempty"` // of differs
	Events   int64     `json:"events"`
	Last     int64     `json:"last"` // of differs: how many of these are the last of their payments; only these are corrected
	Examples []Example `json:"examples,omitempty"`
}

// Standing is what an event says, as far as a row tells it apart.
type Standing struct {
	Status schemas.Status `json:"status"`
	Final  bool           `json:"final"`
	Sums   bool           `json:"sums,omitempty"` // the same status with other sums: see the examples
}

// Example is one event of a row.
type Example struct {
	PaymentID string        `json:"payment_id"`
	Account   string        `json:"account"`
	EventID   string        `json:"event_id"`
	At        string        `json:"at"` // partition/offset
	Last      bool          `json:"last"`
	OldSums   *schemas.Sums `json:"old_sums,omitempty"`
	NewSums   *schemas.Sums `json:"new_sums,omitempty"`
}

// maxExamples is how many examples a row has.
const maxExamples = 5

// kind tells rows apart.
type kind struct {
	provider string
	finding  Finding
	code     string
	old, new Standing
}

func kindOf(provider string, r Reading) kind {
	k := kind{provider: provider, finding: r.Finding, code: r.Code}
	if r.Finding == Differs {
		k.old, k.new = standing(r.Old), standing(r.New)
		if r.Old.Status == r.New.Status && r.Old.Facts().Sums != r.New.Facts().Sums {
			k.old.Sums, k.new.Sums = true, true
		}
	}
	return k
}

func standing(s watch.Said) Standing { return Standing{Status: s.Status, Final: s.Final} }

// add counts an event, and keeps it as an example while there are few. It gives the number of the example, -1 for none.
func (r *Row) add(e Example) (example int) {
	r.Events++
	if len(r.Examples) >= maxExamples {
		return -1
	}
	r.Examples = append(r.Examples, e)
	return len(r.Examples) - 1
}

// merge puts the rows of several parts together, in the order of findings.
func merge(parts []map[kind]*Row) []Row {
	all := map[kind]*Row{}
	for _, part := range parts {
		for k, row := range part {
			sum := all[k]
			if sum == nil {
				all[k] = row
				continue
			}
			sum.Events += row.Events
			sum.Last += row.Last
			sum.Examples = append(sum.Examples, row.Examples...)
		}
	}
	rank := map[Finding]int{}
	for i, f := range Findings {
		rank[f.Finding] = i
	}
	rows := make([]Row, 0, len(all))
	for _, row := range all {
		// Those that can be corrected are shown first.
		slices.SortStableFunc(row.Examples, func(a, b Example) int {
			if a.Last != b.Last {
				return map[bool]int{true: -1, false: 1}[a.Last]
			}
			return cmp.Compare(a.At, b.At)
		})
		row.Examples = row.Examples[:min(len(row.Examples), maxExamples)]
		rows = append(rows, *row)
	}
	slices.SortFunc(rows, func(a, b Row) int {
		return cmp.Or(cmp.Compare(rank[a.Finding], rank[b.Finding]), cmp.Compare(a.Provider, b.Provider), cmp.Compare(b.Events, a.Events),
			cmp.Compare(a.change(), b.change()), cmp.Compare(a.Code, b.Code))
	})
	return rows
}

// change is a row's difference in words: "captured final → authorized".
func (r *Row) change() string {
	if r.Old == nil {
		return r.Code
	}
	words := func(s *Standing) string {
		text := string(s.Status)
		if s.Final {
			text += " final"
		}
		return text
	}
	if r.Old.Sums {
		return words(r.Old) + " → " + words(r.New) + ", other sums"
	}
	return words(r.Old) + " → " + words(r.New)
}

// Change is a row's difference in words, its code where it has none.
func (r *Row) Change() string { return r.change() }

// Differences are how many events differ, and how many of these are the last of their payments.
func (r *Report) Differences() (events, last int64) {
	for _, row := range r.Rows {
		if row.Finding == Differs {
			events, last = events+row.Events, last+row.Last
		}
	}
	return events, last
}

// Meaning explains a finding.
func (f Finding) Meaning() string {
	for _, row := range Findings {
		if row.Finding == f {
			return row.Meaning
		}
	}
	return ""
}
