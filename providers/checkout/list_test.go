package checkout

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
)

// attempt is a row of a list: id is one letter.
func attempt(id, status string, more ...string) string {
	approved := map[string]string{"Declined": "false", "Pending": "null"}[status]
	if approved == "" {
		approved = "true"
	}
	members := append([]string{
		`"id":"` + idOf(id) + `"`, `"reference":"` + order + `"`, `"currency":"EUR"`, `"status":"` + status + `"`, `"approved":` + approved,
	}, more...)
	if !strings.Contains(strings.Join(more, ","), `"amount"`) {
		members = append(members, `"amount":8000`)
	}
	return "{" + strings.Join(members, ",") + "}"
}

func idOf(letter string) string { return "pay_" + strings.Repeat(letter, 26) }

func requested(seconds int) string {
	return `"requested_on":"` + initiatedAt.Add(time.Duration(seconds)*time.Second).Format(time.RFC3339Nano) + `"`
}

func listPage(total int, rows ...string) string {
	return fmt.Sprintf(`{"total_count":%d,"skip":0,"limit":100,"data":[%s]}`, total, strings.Join(rows, ","))
}

func listed(bodies ...string) providers.Answer {
	answer := providers.Answer{From: schemas.SourceQuery}
	for _, body := range bodies {
		answer.Pages = append(answer.Pages, page(requestList, http.StatusOK, body))
	}
	return answer
}

func TestOneOfSeveralPaymentsWithAReferenceIsChosen(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		rows   []string
		want   schemas.Status
		chosen string
	}{
		"a success before what waits": {
			[]string{attempt("a", "Pending", requested(9)), attempt("b", "Authorized", requested(1)), attempt("c", "Declined", requested(5))},
			schemas.Authorized, "b",
		},
		"what waits before what failed": {
			[]string{attempt("a", "Declined", requested(9)), attempt("b", "Pending", requested(1))}, schemas.Pending, "b",
		},
		"what is unknown before what failed": {
			[]string{attempt("a", "Declined", requested(9)), attempt("b", "Mystified", requested(1))}, schemas.Unknown, "b",
		},
		"a voided payment is no success": {
			[]string{attempt("a", "Voided", requested(9)), attempt("b", "Captured", requested(1))}, schemas.Captured, "b",
		},
		"a refunded payment is one": {
			[]string{attempt("a", "Declined", requested(9)), attempt("b", "Refunded", requested(1))}, schemas.Refunded, "b",
		},
		"the newest of those that failed, wherever it stands": {
			[]string{attempt("a", "Declined", requested(1)), attempt("b", "Expired", requested(9)), attempt("c", "Declined", requested(5))},
			schemas.Expired, "b",
		},
		"fractions of a second count": {
			[]string{
				attempt("a", "Declined", `"requested_on":"2026-01-02T03:00:05.62936Z"`),
				attempt("b", "Expired", `"requested_on":"2026-01-02T03:00:05.6293601Z"`),
			},
			schemas.Expired, "b",
		},
		"another amount is another payment": {
			[]string{attempt("a", "Captured", requested(1), `"amount":8001`), attempt("b", "Declined", requested(1))}, schemas.Declined, "b",
		},
		"another currency is another payment": {
			[]string{strings.Replace(attempt("a", "Captured"), "EUR", "USD", 1), attempt("b", "Declined")}, schemas.Declined, "b",
		},
		"another reference is another payment": {
			[]string{strings.Replace(attempt("a", "Captured"), order, "ord-1001", 1), attempt("b", "Declined")}, schemas.Declined, "b",
		},
		"no reference is another payment": {
			[]string{strings.Replace(attempt("a", "Captured"), `"reference":"`+order+`",`, "", 1), attempt("b", "Declined")}, schemas.Declined, "b",
		},
		"more than ten minutes earlier is another payment": {
			[]string{attempt("a", "Captured", requested(-601)), attempt("b", "Declined", requested(-599))}, schemas.Declined, "b",
		},
		"a raised authorisation of another amount is ours": {
			[]string{attempt("a", "Captured", `"amount":8001`, `"balances":{"total_authorized":9000}`), attempt("b", "Declined")}, schemas.Captured, "a",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := observe(t, reader().Read(listed(listPage(len(tc.rows), tc.rows...)), known(byOrder)))
			assert.Equal(t, tc.want, o.Status)
			assert.Equal(t, idOf(tc.chosen), o.ProviderPaymentID)
			assert.NotContains(t, o.Anomalies, schemas.AmbiguousReference)
			assert.NotContains(t, o.Anomalies, schemas.IncompleteList)
			assert.NotContains(t, o.ProviderStatus, "candidates")
		})
	}
}

func TestWithoutACandidateTheListIsNotFound(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"an empty list":                  listPage(0),
		"an empty list without a count":  `{"data":[]}`,
		"only older payments":            listPage(1, attempt("a", "Captured", requested(-3600))),
		"only payments of other amounts": listPage(2, attempt("a", "Captured", `"amount":1`), attempt("b", "Declined", `"amount":1`)),
	} {
		o := reader().Read(listed(body), known(byOrder))
		assert.Equal(t, providers.NotFound, o.Kind, name)
		assert.Equal(t, providers.CodeNotFound, o.Code, name)
	}
}

func TestTwoSuccessesAreAmbiguous(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		older, newer string
		want         schemas.Status
	}{
		"both hold the money":                       {"Captured", "Authorized", schemas.Authorized},
		"both gave it back":                         {"Refunded", "Refunded", schemas.Refunded},
		"the newer gave it back, the older did not": {"Captured", "Refunded", schemas.Unknown},
		"the older gave it back, the newer did not": {"Refunded", "Captured", schemas.Unknown},
		"one gave a part back":                      {"Partially Refunded", "Captured", schemas.Captured},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := listPage(3, attempt("a", tc.older, requested(1)), attempt("b", "Declined", requested(3)), attempt("c", tc.newer, requested(2)))
			o := observe(t, reader().Read(listed(body), known(byOrder)))
			assert.Equal(t, tc.want, o.Status)
			assert.Equal(t, tc.want.Final(), o.Final)
			assert.Equal(t, idOf("c"), o.ProviderPaymentID)
			assert.Equal(t, []schemas.Anomaly{schemas.AmbiguousReference}, o.Anomalies)
			assert.Equal(t, []string{idOf("c"), idOf("a"), idOf("b")}, o.ProviderStatus["candidates"])
		})
	}
}

func TestAllPagesOfAListCount(t *testing.T) {
	t.Parallel()
	p := known(byOrder)
	answer := listed(listPage(3, attempt("a", "Declined"), attempt("b", "Pending")), listPage(3, attempt("c", "Captured")))
	o := reader().Read(answer, p)
	assert.Equal(t, schemas.Captured, observe(t, o).Status)
	assert.Empty(t, o.Observation.Anomalies)
	assert.Equal(t, 1, o.Page)
	assert.Equal(t, string(answer.Pages[1].Body), providers.Kept(answer, o, p).Body, "raw is the page with the chosen row")

	// While the pages were read a payment arrived, which moved one to the next page.
	answer = listed(listPage(2, attempt("a", "Declined"), attempt("b", "Captured")), listPage(3, attempt("b", "Captured")))
	o = reader().Read(answer, p)
	assert.Empty(t, observe(t, o).Anomalies, "a payment that is seen twice is one payment")
	answer = listed(listPage(2, attempt("a", "Declined"), attempt("b", "Pending")), listPage(3, attempt("b", "Declined")))
	assert.Equal(t, schemas.Declined, observe(t, reader().Read(answer, p)).Status, "the later reading of a payment counts")
}

func TestAListThatWasNotReadToItsEndCountsOnlyIfItShowsASuccess(t *testing.T) {
	t.Parallel()
	p := known(byOrder)
	late := providers.Failure(providers.Unavailable, providers.CodeTimeout, "late")
	late.RetryAfter = 7 * time.Second
	throttled := page(requestList, http.StatusTooManyRequests, "")
	throttled.Header.Set("Retry-After", "7")
	for name, rest := range map[string]func(*providers.Answer){
		"fewer rows than announced": func(*providers.Answer) {},
		"a fault":                   func(a *providers.Answer) { a.Fault = &late },
		"too many requests":         func(a *providers.Answer) { a.Pages = append(a.Pages, throttled) },
		"a page that is no JSON":    func(a *providers.Answer) { a.Pages = append(a.Pages, page(requestList, 200, "<html>")) },
		"a page that is no list": func(a *providers.Answer) {
			a.Pages = append(a.Pages, page(requestList, 200, `{"total_count":3,"data":{}}`))
		},
		"a page of the same again": func(a *providers.Answer) { a.Pages = append(a.Pages, a.Pages[0]) },
		"an empty page too early":  func(a *providers.Answer) { a.Pages = append(a.Pages, page(requestList, 200, listPage(3))) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			answer := listed(listPage(3, attempt("a", "Declined"), attempt("b", "Pending")))
			rest(&answer)
			o := reader().Read(answer, p)
			assert.Equal(t, providers.Unavailable, o.Kind)
			assert.Equal(t, providers.CodeIncompleteList, o.Code)
			if name == "a fault" || name == "too many requests" {
				assert.Equal(t, 7*time.Second, o.RetryAfter)
			}

			answer = listed(listPage(3, attempt("a", "Declined"), attempt("b", "Captured")))
			rest(&answer)
			o = reader().Read(answer, p)
			assert.Equal(t, schemas.Captured, observe(t, o).Status)
			assert.Equal(t, []schemas.Anomaly{schemas.IncompleteList}, o.Observation.Anomalies)
			assert.Contains(t, string(answer.Pages[o.Page].Body), idOf("b"), "raw is a page with the chosen row")
		})
	}
	t.Run("without a count it ends with an empty page", func(t *testing.T) {
		t.Parallel()
		answer := listed(`{"data":[` + attempt("a", "Declined") + `]}`)
		assert.Equal(t, providers.CodeIncompleteList, reader().Read(answer, p).Code)
		answer.Pages = append(answer.Pages, page(requestList, 200, `{"data":[]}`))
		assert.Equal(t, schemas.Declined, observe(t, reader().Read(answer, p)).Status)
	})
	t.Run("nothing of the list: what kept it from coming", func(t *testing.T) {
		t.Parallel()
		assert.Equal(t, providers.CodeRateLimited, reader().Read(providers.Answer{From: schemas.SourceQuery, Pages: []providers.Page{throttled}}, p).Code)
		assert.Equal(t, providers.CodeNotJSON, reader().Read(listed("<html>"), p).Code)
	})
}

func TestARowThatCannotBeReadIsNotPassedOver(t *testing.T) {
	t.Parallel()
	p := known(byOrder)
	unreadable := attempt("a", "Captured", `"amount":80.5`)
	o := reader().Read(listed(listPage(2, unreadable, attempt("b", "Declined"))), p)
	assert.Equal(t, providers.CodeUnreadableAmount, o.Code, "it might be the success")
	o = reader().Read(listed(listPage(2, unreadable, attempt("b", "Authorized"))), p)
	assert.Equal(t, schemas.Authorized, observe(t, o).Status)
	o = reader().Read(listed(listPage(2, strings.Replace(unreadable, order, "ORD-1002", 1), attempt("b", "Declined"))), p)
	assert.Equal(t, schemas.Declined, observe(t, o).Status, "it is another payment")
}
