package antom

import (
	"strings"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas"
)

// outcomeGroup is what a result code says about a payment.
type outcomeGroup uint8

const (
	codeAbsent   outcomeGroup = iota // none stated
	codeUnlisted                     // one without a row below
	codeSuccess
	codeOpen // in process, or Antom does not know
	codeDeclined
	codeExpired
	codeCanceled
	codeFailed
)

// refusal reports whether the code is known to say that the payment was not made.
func (g outcomeGroup) refusal() bool { return g >= codeDeclined }

// paymentCode is one result code of a payment: paymentResultCode of a query, resultCode of pay and of PAYMENT_RESULT.
type paymentCode struct {
	group    outcomeGroup
	category schemas.ReasonCategory
}

// paymentCodes lists the codes by what they say. The list is open: a code that is not in it never decides that a payment
// was declined.
var paymentCodes = index([]listed[paymentCode]{
	{paymentCode{codeSuccess, ""}, "SUCCESS"},
	{paymentCode{codeOpen, schemas.CategoryOther}, "PAYMENT_IN_PROCESS UNKNOWN_EXCEPTION REQUEST_TRAFFIC_EXCEED_LIMIT"},
	{paymentCode{codeDeclined, schemas.CategoryIssuer}, `DO_NOT_HONOR CARD_EXPIRED CARD_NOT_SUPPORTED SELECTED_CARD_BRAND_NOT_AVAILABLE
		LOST_CARD STOLEN_CARD PICKUP_CARD RESTRICTED_CARD ACCOUNT_CLOSED BLOCKED_FIRST_USED NO_SELECTED_ACCOUNT POLICY`},
	{paymentCode{codeDeclined, schemas.CategoryFunds}, `USER_BALANCE_NOT_ENOUGH USER_AMOUNT_EXCEED_LIMIT PAYMENT_AMOUNT_EXCEED_LIMIT
		AMOUNT_EXCEED_LIMIT PAYMENT_COUNT_EXCEED_LIMIT`},
	{paymentCode{codeDeclined, schemas.CategoryAuthentication}, "AUTHENTICATION_REQUIRED USER_PAYMENT_VERIFICATION_FAILED VERIFY_TIMES_EXCEED_LIMIT"},
	{paymentCode{codeDeclined, schemas.CategoryCustomer}, `INVALID_CARD_NUMBER INVALID_CVV INVALID_EXPIRATION_DATE USER_KYC_NOT_QUALIFIED
		USER_NOT_EXIST USER_STATUS_ABNORMAL NO_PAY_OPTIONS INCORRECT_BLIKCODE INVALID_PAYMENT_CODE EXPIRED_CODE`},
	{paymentCode{codeDeclined, schemas.CategoryRisk}, "RISK_REJECT FRAUD_REJECT SUSPECTED_RISK"},
	{paymentCode{codeExpired, schemas.CategoryExpired}, "ORDER_IS_CLOSED AUTH_EXPIRED"},
	{paymentCode{codeCanceled, schemas.CategoryOther}, "ORDER_IS_CANCELED AUTH_CANCELLED"},
	{paymentCode{codeFailed, schemas.CategoryMerchant}, `PARAM_ILLEGAL ACCESS_DENIED BUSINESS_NOT_SUPPORT CURRENCY_NOT_SUPPORT INVALID_AMOUNT
		INVALID_CONTRACT INVALID_ACCESS_TOKEN INVALID_MERCHANT_STATUS MERCHANT_KYB_NOT_QUALIFIED MERCHANT_NOT_REGISTERED
		SETTLE_CONTRACT_NOT_MATCH INVALID_PAYMENT_METHOD_META_DATA ORDER_STATUS_INVALID REPEAT_REQ_INCONSISTENT`},
	{paymentCode{codeFailed, schemas.CategoryTechnical}, "PROCESS_FAIL SYSTEM_ERROR"},
})

// requestCodes are the codes by which Antom refuses a call, whatever the call was: the outcome's code for each.
var requestCodes = index([]listed[string]{
	{providers.CodeUnauthorized, `INVALID_SIGNATURE SIGNATURE_INVALID KEY_NOT_FOUND INVALID_CLIENT CLIENT_INVALID UNKNOWN_CLIENT
		INVALID_CLIENT_STATUS OAUTH_FAIL OAUTH_FAILED`},
	{providers.CodeForbidden, "ACCESS_DENIED CLIENT_FORBIDDEN_ACCESS_API MERCHANT_NOT_REGISTERED"},
	{providers.CodeBadRequest, `PARAM_ILLEGAL INVALID_API NO_INTERFACE_DEF INTERFACE_NOT_EXIST METHOD_NOT_SUPPORTED
		MEDIA_TYPE_NOT_ACCEPTABLE`},
})

// repeatCodes refuse a call of pay because an earlier call with the same id was something else. That one may have succeeded.
var repeatCodes = index([]listed[string]{{providers.CodeBadRequest, "REPEAT_REQ_INCONSISTENT ORDER_STATUS_INVALID"}})

// missingCodes say that Antom does not know the payment.
var missingCodes = index([]listed[string]{{providers.CodeNotFound, "ORDER_NOT_EXIST PAYMENT_NOT_EXIST"}})

const codeThrottled = "REQUEST_TRAFFIC_EXCEED_LIMIT"

// lookUp classifies a code of a payment.
func lookUp(code string) paymentCode {
	if c, ok := paymentCodes[code]; ok {
		return c
	}
	if code == "" {
		return paymentCode{group: codeAbsent}
	}
	return paymentCode{codeUnlisted, schemas.CategoryOther}
}

// listed says one thing of several words.
type listed[T any] struct {
	meaning T
	words   string
}

func index[T any](lists []listed[T]) map[string]T {
	m := map[string]T{}
	for _, l := range lists {
		for word := range strings.FieldsSeq(l.words) {
			m[word] = l.meaning
		}
	}
	return m
}
