package deadletters

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/paystatus/paystatus/handlers"
	"github.com/paystatus/paystatus/handlers/watch"
)

// Filter chooses letters; the zero Filter all that were not given back.
type Filter struct {
	Positions []Position   // these; empty: any
	Reasons   []watch.Code // one of these; empty: any
	Provider  string       // "": any
	Payment   string       // the payment's id, or the record's key; "": any
	Handler   string       // that gave the letter up; "": any
	Since     time.Time    // given up then or later; zero: ever
	Until     time.Time    // given up before; zero: ever
	Given     bool         // also those that were given back
}

// chooses reports whether a letter is among those asked for, given back or not.
func (f Filter) chooses(l *Letter) bool {
	switch {
	case len(f.Positions) > 0 && !slices.Contains(f.Positions, l.Position),
		len(f.Reasons) > 0 && !slices.Contains(f.Reasons, l.Reason),
		f.Provider != "" && f.Provider != l.About.Provider,
		f.Payment != "" && f.Payment != l.About.PaymentID && f.Payment != string(l.Key),
		f.Handler != "" && f.Handler != l.Handler,
		!f.Since.IsZero() && l.FailedAt.Before(f.Since),
		!f.Until.IsZero() && !l.FailedAt.Before(f.Until):
		return false
	default:
		return true
	}
}

// ParseReasons reads reason codes.
func ParseReasons(codes []string) ([]watch.Code, error) {
	all := make([]watch.Code, len(codes))
	for i, code := range codes {
		all[i] = watch.Code(code)
		if _, ok := Explain(all[i]); !ok {
			return nil, fmt.Errorf("there is no reason %q; there are %s", code, strings.Join(ReasonCodes(), ", "))
		}
	}
	return all, nil
}

// Explain tells what a reason means and what to do about it.
func Explain(code watch.Code) (handlers.ReasonInfo, bool) {
	i := slices.IndexFunc(handlers.Reasons, func(r handlers.ReasonInfo) bool { return r.Code == code })
	if i < 0 {
		return handlers.ReasonInfo{Code: code}, false
	}
	return handlers.Reasons[i], true
}

// ReasonCodes are all reason codes.
func ReasonCodes() []string {
	all := make([]string, len(handlers.Reasons))
	for i, r := range handlers.Reasons {
		all[i] = string(r.Code)
	}
	return all
}
