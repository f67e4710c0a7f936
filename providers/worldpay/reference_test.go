package worldpay_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/providers/worldpay"
	"github.com/paystatus/paystatus/schemas"
)

func TestIdentifyAcceptsEachReferenceThatCanBeAskedBy(t *testing.T) {
	t.Parallel()
	provider := unconfigured(t)
	for _, c := range []struct {
		name  string
		given schemas.Reference
		want  schemas.Reference
	}{
		{"a link", schemas.Reference{"events_link": liveLink}, schemas.Reference{"events_link": liveLink}},
		{
			"a link with percent-escapes, untouched",
			schemas.Reference{"events_link": liveURL + "/api/payments/eyJrIjoxfQ%3D%3D.sN%3ag8%2B"},
			schemas.Reference{"events_link": liveURL + "/api/payments/eyJrIjoxfQ%3D%3D.sN%3ag8%2B"},
		},
		{"a relative link, untouched", schemas.Reference{"events_link": "/payments/events/abc"}, schemas.Reference{"events_link": "/payments/events/abc"}},
		{"a payment id", schemas.Reference{"payment_id": paymentID}, schemas.Reference{"payment_id": paymentID}},
		{
			"a UUID as payment id",
			schemas.Reference{"payment_id": "db6bb0dc-8930-4d65-a292-551a6bfab3c0"},
			schemas.Reference{"payment_id": "db6bb0dc-8930-4d65-a292-551a6bfab3c0"},
		},
		{
			"a payment id of 256 characters",
			schemas.Reference{"payment_id": strings.Repeat("a", 256)},
			schemas.Reference{"payment_id": strings.Repeat("a", 256)},
		},
		{"a reference", schemas.Reference{"transaction_reference": reference}, schemas.Reference{"transaction_reference": reference}},
		{
			"a reference and an entity",
			schemas.Reference{"transaction_reference": reference, "entity": "branch2"},
			schemas.Reference{"transaction_reference": reference, "entity": "branch2"},
		},
		{"names it does not know are left out", schemas.Reference{"payment_id": paymentID, "order": "7"}, schemas.Reference{"payment_id": paymentID}},
		{"empty ones count as absent", schemas.Reference{"payment_id": paymentID, "events_link": ""}, schemas.Reference{"payment_id": paymentID}},
		{
			"a link into Payment Queries holds the payment id",
			schemas.Reference{"events_link": liveURL + "/paymentQueries/payments/" + paymentID},
			schemas.Reference{"events_link": liveURL + "/paymentQueries/payments/" + paymentID, "payment_id": paymentID},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := provider.Identify(initiated(c.given))
			require.NoError(t, err)
			assert.Equal(t, c.want, got)
		})
	}
}

func TestIdentifyNamesTheFieldThatIsWrong(t *testing.T) {
	t.Parallel()
	provider := unconfigured(t)
	for _, c := range []struct {
		name  string
		given schemas.Reference
		field string
	}{
		{"nothing", nil, "reference"},
		{"an entity alone", schemas.Reference{"entity": "default"}, "reference"},
		{"a payment id with a slash", schemas.Reference{"payment_id": "pay/../x"}, "reference.payment_id"},
		{"a payment id of 257 characters", schemas.Reference{"payment_id": strings.Repeat("a", 257)}, "reference.payment_id"},
		{"a reference with a blank", schemas.Reference{"transaction_reference": "a b"}, "reference.transaction_reference"},
		{"a reference with an ampersand", schemas.Reference{"transaction_reference": "a&entity=x"}, "reference.transaction_reference"},
		{"a reference of 65 characters", schemas.Reference{"transaction_reference": strings.Repeat("a", 65)}, "reference.transaction_reference"},
		{"an entity with a line feed", schemas.Reference{"payment_id": paymentID, "entity": "a\n"}, "reference.entity"},
		{
			"a foreign link beside a good id",
			schemas.Reference{"payment_id": paymentID, "events_link": "https://evil.example/payments/events/x"},
			"reference.events_link",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := provider.Identify(initiated(c.given))
			var field *schemas.FieldError
			require.ErrorAs(t, err, &field)
			assert.Equal(t, c.field, field.Field)
			assert.NotEmpty(t, field.Problem)
		})
	}
}

// foreignLinks are ways to lead credentials astray, all of them at the default base URL.
var foreignLinks = []struct{ name, link, says string }{
	{"another host", "https://evil.example/payments/events/x", "must be at https://access.worldpay.com"},
	{"the test host of a live account", "https://try.access.worldpay.com/payments/events/x", "must be at https://access.worldpay.com"},
	{"a host that begins alike", "https://access.worldpay.com.evil.example/payments/events/x", "must be at"},
	{"a host that ends alike", "https://evilaccess.worldpay.com/payments/events/x", "must be at"},
	{"a trailing dot", "https://access.worldpay.com./payments/events/x", "must be at"},
	{"plain http", "http://access.worldpay.com/payments/events/x", "must be at"},
	{"another scheme", "ftp://access.worldpay.com/payments/events/x", "must be at"},
	{"no slashes after the scheme", "https:access.worldpay.com/payments/events/x", "must be at"},
	{"one slash after the scheme", "https:/payments/events/x", "must be at"},
	{"three slashes after the scheme", "https:///payments/events/x", "must be at"},
	{"another port", "https://access.worldpay.com:8443/payments/events/x", "must be at"},
	{"the port of http", "https://access.worldpay.com:80/payments/events/x", "must be at"},
	{"a port that is no number", "https://access.worldpay.com:443.evil.example/payments/events/x", "must be at"},
	{"a user in front of another host", "https://access.worldpay.com@evil.example/payments/events/x", "user name"},
	{"a user in front of the right host", "https://u:p@access.worldpay.com/payments/events/x", "user name"},
	{"an encoded host", "https://access%2eworldpay.com/payments/events/x", "encoded host"},
	{"an encoded at sign", "https://access.worldpay.com%40evil.example/payments/events/x", "encoded host"},
	{"an IPv6 zone", "https://[fe80::1%25eth0]/payments/events/x", "encoded host"},
	{"an IPv6 address", "https://[::1]/payments/events/x", "must be at"},
	{"an IPv4 address as a number", "https://2130706433/payments/events/x", "must be at"},
	{"a host of its own without a scheme", "//evil.example/payments/events/x", "must be at"},
	{"backslashes instead of slashes", `https:\\evil.example\payments/events/x`, "backslashes"},
	{"a backslash in front of another host", `https://access.worldpay.com\@evil.example/payments/events/x`, "backslashes"},
	{"an encoded backslash", "https://access.worldpay.com/payments/events/%5c..%5cx", "backslashes"},
	{"a line feed", "https://access.worldpay.com/payments/events/x\r\nHost: evil.example", "control characters"},
	{"an encoded line feed", "https://access.worldpay.com/payments/events/x%0d%0aHost:%20evil.example", "control characters"},
	{"a blank", "https://access.worldpay.com /payments/events/x", "blanks"},
	{"a tab in front", "\thttps://access.worldpay.com/payments/events/x", "blanks"},
	{"letters that look alike", "https://аccess.worldpay.com/payments/events/x", "ASCII"},
	{"a full stop that looks alike", "https://access。worldpay.com/payments/events/x", "ASCII"},
	{"another path", "https://access.worldpay.com/payments/authorizations/x", "must lead to"},
	{"the path alone", "https://access.worldpay.com/payments/events/", "must lead to"},
	{"no path", "https://access.worldpay.com", "must lead to"},
	{"a query instead of a path", "https://access.worldpay.com?/payments/events/x", "must lead to"},
	{"a way up", "https://access.worldpay.com/payments/events/../../payouts", ".. segments"},
	{"an encoded way up", "https://access.worldpay.com/payments/events/%2e%2e/%2E%2E/payouts", ".. segments"},
	{"an encoded slash on the way up", "https://access.worldpay.com/payments/events/..%2f..%2fpayouts", ".. segments"},
	{"a way up with a parameter", "https://access.worldpay.com/payments/events/..;x/payouts", ".. segments"},
	{"a broken percent-escape", "https://access.worldpay.com/payments/events/%zz", "percent-escapes"},
	{"a fragment", "https://access.worldpay.com/payments/events/x#y", "fragment"},
	{"a link without end", "https://access.worldpay.com/payments/events/" + strings.Repeat("x", 9000), "at most"},
}

func TestIdentifyRefusesLinksThatWouldLeadCredentialsAstray(t *testing.T) {
	t.Parallel()
	provider := unconfigured(t)
	for _, c := range foreignLinks {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := provider.Identify(initiated(schemas.Reference{"events_link": c.link}))
			var field *schemas.FieldError
			require.ErrorAs(t, err, &field)
			assert.Equal(t, "reference.events_link", field.Field)
			assert.Contains(t, field.Problem, c.says)
			assert.NotContains(t, field.Problem, "evil", "the reason must not repeat the link")
		})
	}
}

func TestIdentifyAcceptsLinksOnTheConfiguredHostHoweverItIsWritten(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ base, link string }{
		{"https://access.worldpay.com", "HTTPS://Access.WorldPay.com/payments/events/x"},
		{"https://access.worldpay.com", "https://access.worldpay.com:443/payments/events/x"},
		{"https://access.worldpay.com", "//access.worldpay.com/payments/events/x"},
		{"https://access.worldpay.com", "payments/events/x"},
		{"https://access.worldpay.com:443/", "https://access.worldpay.com/payments/events/x"},
		{"https://ACCESS.worldpay.com", "https://access.worldpay.com/apmPayments/x"},
		{"http://127.0.0.1:8090/worldpay", "http://127.0.0.1:8090/worldpay/payments/events/x"},
		{"http://127.0.0.1:8090/worldpay/", "/worldpay/payments/events/x"},
		{"http://127.0.0.1:8090/worldpay", "/payments/events/x"},
		{"http://[::1]:8090", "http://[::1]:8090/paymentQueries/payments/x"},
		{"https://access.worldpay.com", "https://access.worldpay.com/payments/events/eyJrIjoiazNhYjYzMiJ9==.sN:g8wd64+X:/+=?x={y}|^`"},
	} {
		t.Run(c.base+" "+c.link, func(t *testing.T) {
			t.Parallel()
			settings := worldpay.Definition.Settings().(*worldpay.Settings)
			settings.BaseURL = c.base
			ref, err := create(t, settings).Identify(initiated(schemas.Reference{"events_link": c.link}))
			require.NoError(t, err)
			assert.Equal(t, c.link, ref["events_link"])
		})
	}
}

func TestIdentifyTakesIdentifiersFromTheReplyToTheCreateCall(t *testing.T) {
	t.Parallel()
	provider := unconfigured(t)
	other := liveURL + "/payments/events/other"
	for _, c := range []struct {
		name  string
		given schemas.Reference
		body  string
		want  schemas.Reference
	}{
		{"version 6", nil, `{"_links":{"payments:events":{"href":"` + liveLink + `"}}}`, schemas.Reference{"events_link": liveLink}},
		{
			"version 7", nil, `{"_links":{"cardPayments:events":{"href":"` + liveLink + `"},"payments:events":{"href":"` + other + `"}}}`,
			schemas.Reference{"events_link": liveLink},
		},
		{"a link as text", nil, `{"_links":{"payments:events":"` + liveLink + `"}}`, schemas.Reference{"events_link": liveLink}},
		{"a relative link", nil, `{"_links":{"payments:events":"/payments/events/x"}}`, schemas.Reference{"events_link": "/payments/events/x"}},
		{
			"the Payments API", nil, `{"paymentId":"pay1","transactionReference":"r-1","_links":{"self":{"href":"` + liveURL + `/api/payments/eyJ%3D"}}}`,
			schemas.Reference{"events_link": liveURL + "/api/payments/eyJ%3D", "payment_id": "pay1", "transaction_reference": "r-1"},
		},
		{
			"an escaped solidus in JSON", nil, `{"_links":{"payments:events":{"href":"https:\/\/access.worldpay.com\/payments\/events\/x"}}}`,
			schemas.Reference{"events_link": liveURL + "/payments/events/x"},
		},
		{"a self link that is no query", schemas.Reference{"payment_id": "pay1"}, `{"_links":{"self":{"href":"` + liveURL +
			`/payments/authorizations/x"}}}`, schemas.Reference{"payment_id": "pay1"}},
		{"the event's own link outranks", schemas.Reference{"events_link": liveLink}, `{"paymentId":"pay1","_links":{"payments:events":{"href":"` + other +
			`"}}}`, schemas.Reference{"events_link": liveLink, "payment_id": "pay1"}},
		{"the event's own id outranks", schemas.Reference{"payment_id": "pay0"}, `{"paymentId":"pay1"}`, schemas.Reference{"payment_id": "pay0"}},
		{"a reply that cannot be read", schemas.Reference{"transaction_reference": "r"}, `<html>502</html>`, schemas.Reference{"transaction_reference": "r"}},
		{
			"ids of the wrong form",
			schemas.Reference{"transaction_reference": "r"},
			`{"paymentId":"a b","transactionReference":"ü"}`,
			schemas.Reference{"transaction_reference": "r"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			e := initiated(c.given)
			e.InitiationResponse = &schemas.InitiationResponse{HTTPStatus: 201, Body: c.body}
			got, err := provider.Identify(e)
			require.NoError(t, err)
			assert.Equal(t, c.want, got)
		})
	}
	for _, rel := range []string{"payments:events", "cardPayments:events", "self"} {
		t.Run("a foreign link in it is refused: "+rel, func(t *testing.T) {
			t.Parallel()
			e := initiated(schemas.Reference{"transaction_reference": "r"})
			e.InitiationResponse = &schemas.InitiationResponse{HTTPStatus: 201, Body: `{"_links":{"` + rel +
				`":{"href":"https://evil.example/payments/events/x"}}}`}
			_, err := provider.Identify(e)
			var field *schemas.FieldError
			require.ErrorAs(t, err, &field)
			assert.Equal(t, "initiation_response.body", field.Field)
		})
	}
}
