package main

import (
	"reflect"
	"slices"
	"strings"

	"github.com/paystatus/paystatus/schemas"
)

const draft = "https://json-schema.org/draft/2020-12/schema"

// statusEvent is the schema of a status event's data. It is strict: we write it.
func statusEvent() (schema, error) {
	t := types{known: statusTypes, defs: map[string]schema{}}
	doc, err := t.object(reflect.TypeFor[schemas.Change](), schema{
		Draft: draft, ID: schemas.StatusSchemaID, Title: "Payment status, version 1",
		Description: "The data of a status event: what became of a payment, in one normalised word, with the sums that the provider " +
			"states and its answer, byte for byte.",
		Not: &schema{Description: "A dispute stands in the place of the entry count.", Required: []string{"entry", "dispute"}},
	}, changeNotes)
	for _, funds := range allFunds() {
		var at []any
		for _, row := range schemas.Statuses {
			if row.Funds == funds {
				at = append(at, row.Status)
			}
		}
		doc.AllOf = append(doc.AllOf, schema{
			If:   &schema{Properties: members{{"status", schema{Enum: at}}}},
			Then: &schema{Properties: members{{"funds", schema{Const: funds}}}},
		})
	}
	doc.Defs = t.definitions()
	return doc, err
}

func allFunds() (all []schemas.Funds) {
	for _, row := range schemas.Statuses {
		if !slices.Contains(all, row.Funds) {
			all = append(all, row.Funds)
		}
	}
	return all
}

var (
	zero, one, maxInt64 = int64(0), int64(1), int64(1<<63 - 1)
	maxExponent         = int64(4)
	minHTTP, maxHTTP    = int64(100), int64(599)
)

var paymentID = schema{
	Description: "The merchant's id of this payment.",
	MinLength:   1, MaxLength: schemas.MaxPaymentID,
}

var changeNotes = notes{
	"payment_id":          paymentID,
	"provider":            {Description: "The payment service provider that was asked.", MinLength: 1, Examples: providers()},
	"account":             {Description: "The account at the provider, by its name in the configuration.", MinLength: 1},
	"provider_payment_id": {Description: "The provider's id of the payment, once known.", MinLength: 1},
	"reference":           {Description: "What the provider was asked by."},
	"status":              {Description: "What became of the payment."},
	"previous_status": {
		Description: "What was reported before; null when nothing was.",
		AnyOf:       []schema{{Ref: ref("status")}, {Type: "null"}},
	},
	"final": {Description: "Checking has ended. Not a promise that nothing follows: refunds and disputes may."},
	"funds": {Description: "Where the money is; it follows from the status."},
	"provider_status": {
		Description:          "The provider's own words, untouched, under our names for its fields.",
		AdditionalProperties: schema{Type: []string{"string", "number", "boolean", "null", "array"}},
	},
	"amounts":     {Description: "The sums that the provider states. What it does not state is absent, never computed."},
	"reason":      {Description: "Why it was refused, failed or stayed unresolved."},
	"three_ds":    {Description: "The result of 3-D Secure, in the provider's codes."},
	"avs":         {Description: "The provider's code for the check of the address.", MinLength: 1},
	"cvv":         {Description: "The provider's code for the check of the security code.", MinLength: 1},
	"card":        {Description: "The card, without naming it."},
	"occurred_at": {Description: "When the provider says that this status came about. Absent where it does not say."},
	"observed_at": {Description: "When the answer was received."},
	"source":      {Description: "Where the answer came from."},
	"entry": {
		Description: "For the how-many-eth time this status with these sums was reached. Absent where a dispute stands in its place, " +
			"and where nothing was ever reported.",
		Minimum: &one,
	},
	"dispute": {Description: "The dispute that this event speaks of."},
	"corrects": {
		Description: "Of a correction: the id of the event that it puts right, the last one of the payment when the correction was made.",
		Format:      "uuid",
	},
	"cause":      {Description: "Why the check ran."},
	"attempt":    {Description: "Which check of the payment it was.", Minimum: &one},
	"replay_id":  {Description: "The backfill that the check belongs to.", MinLength: 1},
	"anomalies":  {Description: "What is odd about the answer. The event is true all the same.", UniqueItems: true},
	"raw":        {Description: "The provider's answer. Absent only from an unresolved event whose last check had none."},
	"normalizer": {Description: "The version of the mapping from the provider's words.", Pattern: "^[a-z0-9_]+/[0-9]+$", Examples: list("checkout/1")},
	"metadata":   {Description: "The metadata of the initiated event."},
}

var statusTypes = map[reflect.Type]named{
	reflect.TypeFor[schemas.Status](): {name: "status", about: enum("The normalised status.",
		schemas.Statuses, func(row schemas.StatusInfo) (schemas.Status, string) { return row.Status, row.Meaning })},
	reflect.TypeFor[schemas.Anomaly](): {name: "anomaly", about: enum("Something odd that people may want to look at.",
		schemas.AllAnomalies, func(row schemas.AnomalyInfo) (schemas.Anomaly, string) { return row.Anomaly, row.Meaning })},
	reflect.TypeFor[schemas.Funds](): {name: "funds", about: schema{
		Description: "Where the money is: what a ledger needs to know.", Enum: list(allFunds()...),
	}},
	reflect.TypeFor[schemas.Source](): {name: "source", about: schema{
		Description: "Where an answer came from: a query, a notification of the provider's, the reply to the call that made the payment, " +
			"or an old answer that was read again.",
		Enum: list(schemas.Sources...),
	}},
	reflect.TypeFor[schemas.Cause](): {name: "cause", about: schema{
		Description: "Why a check ran: an initiated event, the schedule, a notification, a backfill, a person, a dead letter that was given back, or a " +
			"mapping that changed.",
		Enum: list(schemas.Causes...),
	}},
	reflect.TypeFor[schemas.ReasonCategory](): {name: "reason_category", about: schema{
		Description: "A group of reasons that is the same over all providers.", Enum: list(schemas.Categories...),
	}},
	reflect.TypeFor[schemas.DisputeOutcome](): {name: "dispute_outcome", about: schema{
		Description: "What a dispute has come to. Won means won by the merchant; cancelled and reversed disputes are won.",
		Enum:        list(schemas.DisputeOutcomes...),
	}},
	reflect.TypeFor[schemas.Amounts](): {name: "amounts", about: schema{Description: "The sums of a payment."}, notes: notes{
		"requested":  {Description: "What the payment is for."},
		"authorized": {Description: "What is or was reserved in all."},
		"captured":   {Description: "What was taken in all."},
		"refunded":   {Description: "What was returned in all."},
	}},
	reflect.TypeFor[schemas.Money](): {name: "money", about: schema{
		Description: "An amount as the provider counts it: value × 10^-exponent units of the currency.",
	}, notes: notes{
		"value":    {Description: "In minor units.", Minimum: &zero, Maximum: &maxInt64},
		"currency": currency,
		"exponent": {
			Description: "Decimal digits of the minor unit as the provider counts it, which is not always as ISO 4217 does.",
			Minimum:     &zero, Maximum: &maxExponent,
		},
	}},
	reflect.TypeFor[schemas.Reason](): {name: "reason", about: schema{Description: "A reason."}, notes: notes{
		"code":     {Description: "The provider's code as text; in an unresolved event one of the codes that its envelope's schema lists.", MinLength: 1},
		"message":  {Description: "A sentence for people.", MinLength: 1},
		"category": {Description: "The group that the reason belongs to."},
	}},
	reflect.TypeFor[schemas.ThreeDS](): {name: "three_ds", about: schema{Description: "The result of 3-D Secure."}, notes: notes{
		"version":        {Description: "Of the protocol.", MinLength: 1},
		"enrolled":       {Description: "Whether the card takes part.", MinLength: 1},
		"authentication": {Description: "What came of the authentication.", MinLength: 1},
		"eci":            {Description: "Electronic commerce indicator.", MinLength: 1},
		"cavv":           {Description: "Cardholder authentication verification value.", MinLength: 1},
		"xid":            {Description: "The id of the authentication.", MinLength: 1},
		"challenged":     {Description: "Whether the customer had to prove who they are."},
	}},
	reflect.TypeFor[schemas.Card](): {name: "card", about: schema{Description: "A card. Codes are text: leading zeros count."}, notes: notes{
		"brand":   {Description: "As the provider writes it.", MinLength: 1},
		"bin":     {Description: "The first digits of the number.", Pattern: "^[0-9]{4,8}$"},
		"last4":   {Description: "The last four digits of the number.", Pattern: "^[0-9]{4}$"},
		"funding": {Description: "Credit, debit or prepaid, as the provider writes it.", MinLength: 1},
		"issuer":  {Description: "The bank.", MinLength: 1},
		"country": {Description: "The bank's country.", MinLength: 1},
		"region":  {Description: "The bank's region.", MinLength: 1},
		"expiry":  {Description: "The last month in which the card is good.", Pattern: "^[0-9]{4}-(0[1-9]|1[0-2])$"},
		"token":   {Description: "The provider's token for the card.", MinLength: 1},
	}},
	reflect.TypeFor[schemas.Dispute](): {name: "dispute", about: schema{Description: "A dispute."}, notes: notes{
		"id":      {Description: "The provider's id of the dispute, or what is stable in its notifications.", MinLength: 1},
		"outcome": {Description: "What it has come to."},
	}},
	reflect.TypeFor[schemas.Raw](): {name: "raw", about: schema{Description: "A provider's answer, byte for byte."}, notes: notes{
		"media_type":  {Description: "Of the answer, without parameters.", MinLength: 1},
		"encoding":    {Description: "How body holds the bytes: as text, or in base64 when they are not UTF-8.", Enum: list("utf-8", "base64")},
		"body":        {Description: "The bytes. Absent when they are empty or the configuration keeps them off the bus."},
		"size":        {Description: "Number of bytes.", Minimum: &zero},
		"sha256":      {Description: "Of the bytes, in lower-case hex.", Pattern: "^[0-9a-f]{64}$"},
		"masked":      {Description: "A full card number was masked: body, size and sha256 are of the masked bytes."},
		"http_status": {Description: "Of the answer.", Minimum: &minHTTP, Maximum: &maxHTTP},
		"received_at": {Description: "When the last byte had come."},
	}},
}

var currency = schema{Description: "ISO 4217 code.", Pattern: "^[A-Z]{3}$"}

// enum describes each value with the meaning that its table gives.
func enum[Row, Value any](about string, rows []Row, read func(Row) (Value, string)) schema {
	text := strings.Builder{}
	text.WriteString(about)
	out := schema{}
	for _, row := range rows {
		value, meaning := read(row)
		out.Enum = append(out.Enum, value)
		text.WriteString("\n" + reflect.ValueOf(value).String() + ": " + meaning)
	}
	out.Description = text.String()
	return out
}
