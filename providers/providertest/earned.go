package providertest

import (
	"fmt"
	"slices"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
	"github.com/paystatus/paystatus/schemas/exactjson"
)

// Earned says what is wrong with an outcome that a provider made of arbitrary bytes; nil when nothing is. Only a JSON object
// earns a status, one that the mapping knows and that the object has words for. Body is what was read, mended if the provider mends
// what is no strict JSON.
func Earned(provider providers.Provider, body []byte, o providers.Outcome) error {
	if o.Kind != providers.Observed {
		return earnedNothing(o)
	}
	object, failed := providers.ParseBody(body)
	if failed != nil {
		return fmt.Errorf("a status from what is no JSON object: %s", failed.Code)
	}
	stated, obs := texts(object), o.Observation
	words := 0
	for name, value := range obs.ProviderStatus {
		word, ok := value.(string)
		if ok && word != "" {
			words++
		}
		if ok && word != "" && !stated[word] {
			return fmt.Errorf("%s is %q, which the answer does not say", name, word)
		}
	}
	switch {
	case obs.Status == schemas.Unknown:
		return nil
	case !obs.Status.Valid(), !slices.ContainsFunc(provider.Mapping(), func(r providers.Row) bool { return r.Status == obs.Status }):
		return fmt.Errorf("the status %q, which no row of the mapping has", obs.Status)
	case words == 0:
		return fmt.Errorf("the status %q without a word of the provider's", obs.Status)
	}
	return nil
}

// Names reports whether a body states an identifier of a payment, as an answer must whose request does not name it alone.
func Names(body []byte, p providers.Payment) bool {
	object, failed := providers.ParseBody(body)
	if failed != nil {
		return false
	}
	stated := texts(object)
	return slices.ContainsFunc(p.Identifiers(), func(id string) bool { return id != "" && stated[id] })
}

func earnedNothing(o providers.Outcome) error {
	kinds := []providers.Kind{providers.NotFound, providers.Unavailable, providers.Unreadable, providers.Refused, providers.Mismatch, providers.NoStatus}
	switch {
	case !slices.Contains(kinds, o.Kind):
		return fmt.Errorf("the outcome %q, which there is not", o.Kind)
	case o.Observation != nil:
		return fmt.Errorf("%s with an observation", o.Kind)
	case o.Code == "":
		return fmt.Errorf("%s without a code", o.Kind)
	}
	return nil
}

// texts are all values in a document that are strings or numbers, at any depth.
func texts(v exactjson.Value) map[string]bool {
	all := map[string]bool{}
	var collect func(exactjson.Value)
	collect = func(v exactjson.Value) {
		switch v.Kind() {
		case exactjson.String, exactjson.Number:
			all[v.Text()] = true
		case exactjson.Object:
			for m := range v.Members() {
				collect(m)
			}
		case exactjson.Array:
			for item := range v.Items() {
				collect(item)
			}
		case exactjson.Missing, exactjson.Null, exactjson.Bool:
		}
	}
	collect(v)
	return all
}
