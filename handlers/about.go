package handlers

import (
	"github.com/paystatus/paystatus/handlers/watch"
	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
	"github.com/paystatus/paystatus/schemas/exactjson"
)

// About tells which payment a message to a handler claims to be about, without judging the message: what cannot be told is
// empty, but for the payment's id, which is the record's key then. Read gives a provider that reads notifications, or nil.
func About(handler string, m Message, read func(provider string) providers.Provider) schemas.PaymentKey {
	var key schemas.PaymentKey
	switch handler {
	case NameCheck:
		if check, err := watch.DecodeCheck(m.Value); err == nil {
			key = check.PaymentKey
		}
	case NameNotification:
		key.Provider, key.Account = m.header(HeaderProvider), m.header(HeaderAccount)
		if provider := read(key.Provider); provider != nil && len(m.Value) > 0 {
			answer := providers.Answer{From: schemas.SourceNotification, Pages: []providers.Page{pageOf(m)}}
			key.PaymentID = provider.Read(answer, providers.Payment{Account: key.Account}).MerchantReference
		}
	default:
		key = claimed(m)
	}
	if key.PaymentID == "" {
		key.PaymentID = string(m.Key)
	}
	if key.Provider != "" && key.Account == "" {
		key.Account = schemas.DefaultAccount
	}
	return key
}

// claimed is what an initiated event says, however wrong the rest of it is.
func claimed(m Message) schemas.PaymentKey {
	data := m.Value
	if e, err := open(m); err == nil {
		data = e.data
	}
	v, err := exactjson.Parse(data)
	if err != nil {
		return schemas.PaymentKey{}
	}
	return schemas.PaymentKey{Provider: v.Get("provider").Str(), Account: v.Get("account").Str(), PaymentID: v.Get("payment_id").Str()}
}
