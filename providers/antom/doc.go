// Package antom asks Antom (Alipay+ global acquiring, AMS API v1) about payments and reads its answers to inquiryPayment,
// its answers to pay, and its notifications.
//
// Every request and every answer is signed with RSA; an answer counts only when its signature fits its exact bytes. Antom
// speaks on two levels: result says whether the call worked, paymentStatus what became of the payment. Only the second is
// a status, and for cards a SUCCESS is no more than an authorisation: what was captured or refunded stands in transactions.
package antom
