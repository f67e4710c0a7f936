package sandbox

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// antomClient is the one client id that the simulator knows. Its prefix belongs to the sandbox's paths.
const antomClient = "SANDBOX_5TEST00000000001"

// The paths of inquiryPayment, in production and in the sandbox.
const (
	antomInquiry        = "/ams/api/v1/payments/inquiryPayment"
	antomSandboxInquiry = "/ams/sandbox/api/v1/payments/inquiryPayment"
)

// antom simulates Antom's inquiryPayment.
type antom struct {
	merchant func() *rsa.PrivateKey // signs requests; Config hands it out
	gateway  func() *rsa.PrivateKey // signs answers and notifications
}

// Antom simulates Antom, with key pairs of its own making.
//
// The first word of a step's status is paymentStatus. After SUCCESS and CANCELLED, further words are the types of
// transactions over the whole amount that succeeded ("SUCCESS CAPTURE REFUND"); after the others a second word is
// paymentResultCode ("FAIL DO_NOT_HONOR"). The default method is CARD. A payment's reference is its paymentRequestId, its
// first alias its paymentId.
func Antom() Simulator {
	return &antom{merchant: sync.OnceValue(antomKey), gateway: sync.OnceValue(antomKey)}
}

func antomKey() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(fmt.Sprintf("sandbox: generate a key: %v", err)) // the system has no randomness
	}
	return key
}

// Name is "antom".
func (a *antom) Name() string { return "antom" }

// Config is the section of a configuration that fits the simulator.
func (a *antom) Config(baseURL string) string {
	private, err := x509.MarshalPKCS8PrivateKey(a.merchant())
	if err != nil {
		panic(fmt.Sprintf("sandbox: write a key: %v", err)) // a generated RSA key can always be written
	}
	public, err := x509.MarshalPKIXPublicKey(&a.gateway().PublicKey)
	if err != nil {
		panic(fmt.Sprintf("sandbox: write a key: %v", err))
	}
	return fmt.Sprintf(`antom:
  base_url: %s
  accounts:
    default:
      client_id: %s
      private_key: %s
      antom_public_key: %s
`, baseURL, antomClient, base64.StdEncoding.EncodeToString(private), base64.StdEncoding.EncodeToString(public))
}

// Handler serves inquiryPayment.
func (a *antom) Handler(store *Store) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 64<<10))
		if err != nil {
			return
		}
		if code := a.refuse(r, body); code != "" {
			a.answer(w, r, Payment{}, antomResult(code, "F"))
			return
		}
		var ask struct {
			PaymentRequestID string `json:"paymentRequestId"`
			PaymentID        string `json:"paymentId"`
		}
		if json.Unmarshal(body, &ask) != nil || ask.PaymentRequestID == "" && ask.PaymentID == "" {
			a.answer(w, r, Payment{}, antomResult("PARAM_ILLEGAL", "F"))
			return
		}
		reference := ask.PaymentID // which wins where both are given
		if reference == "" {
			reference = ask.PaymentRequestID
		}
		p, ok := store.Answer(reference)
		if !ok || p.Status == StatusNotFound {
			a.answer(w, r, p, antomResult("ORDER_NOT_EXIST", "F"))
			return
		}
		a.answer(w, r, p, antomPayment(p))
	})
}

// refuse gives the code of what is wrong with a request, in the order in which the gateway looks.
func (a *antom) refuse(r *http.Request, body []byte) string {
	signature := r.Header.Get("Signature")
	at := r.Header.Get("Request-Time")
	switch {
	case r.URL.Path != antomInquiry && r.URL.Path != antomSandboxInquiry:
		return "NO_INTERFACE_DEF"
	case r.Method != http.MethodPost:
		return "METHOD_NOT_SUPPORTED"
	case !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json"):
		return "MEDIA_TYPE_NOT_ACCEPTABLE"
	case signature == "" || r.Header.Get("Client-Id") == "" || !antomTime(at):
		return "PARAM_ILLEGAL"
	case r.Header.Get("Client-Id") != antomClient:
		return "INVALID_CLIENT"
	}
	parts := regexp.MustCompile(`^algorithm=RSA256, ?keyVersion=(\d+), ?signature=(.+)$`).FindStringSubmatch(signature)
	switch {
	case parts == nil:
		return "PARAM_ILLEGAL"
	case parts[1] != "1":
		return "KEY_NOT_FOUND"
	}
	unescaped, err := url.QueryUnescape(parts[2])
	if err != nil {
		return "INVALID_SIGNATURE"
	}
	raw, err := base64.StdEncoding.DecodeString(unescaped)
	digest := antomDigest(r.URL.Path, at, body)
	if err != nil || rsa.VerifyPKCS1v15(&a.merchant().PublicKey, crypto.SHA256, digest[:], raw) != nil {
		return "INVALID_SIGNATURE"
	}
	return ""
}

// antomTime accepts milliseconds since 1970 of this century, and ISO 8601.
func antomTime(text string) bool {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n > 1e12 && n < 5e12
	}
	_, err := time.Parse(time.RFC3339, text)
	return err == nil
}

// antomDigest is the hash of what is signed.
func antomDigest(path, at string, body []byte) [sha256.Size]byte {
	return sha256.Sum256(append([]byte("POST "+path+"\n"+antomClient+"."+at+"."), body...))
}

// antomPlace is the time zone of the gateway's clock.
var antomPlace = time.FixedZone("", 8*60*60)

// answer signs an answer and writes it. The gateway answers 200 whatever it says.
func (a *antom) answer(w http.ResponseWriter, r *http.Request, p Payment, answer map[string]any) {
	body, err := json.Marshal(answer)
	if err != nil {
		http.Error(w, "the fields of the step cannot be written as JSON", http.StatusInternalServerError)
		return
	}
	at := time.Now().In(antomPlace).Format(time.RFC3339)
	digest := antomDigest(r.URL.Path, at, body)
	signature, err := rsa.SignPKCS1v15(rand.Reader, a.gateway(), crypto.SHA256, digest[:])
	if err != nil {
		http.Error(w, "the answer cannot be signed", http.StatusInternalServerError)
		return
	}
	if p.Step.Fault == FaultBadSignature {
		signature[0] ^= 1
	}
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.Header().Set("Client-Id", antomClient)
	w.Header().Set("Response-Time", at)
	if p.Step.Fault != FaultNoSignature {
		w.Header().Set("Signature", "algorithm=RSA256,keyVersion=1,signature="+url.QueryEscape(base64.StdEncoding.EncodeToString(signature)))
	}
	Respond(w, r, p, http.StatusOK, body)
}

// antomResult is an answer that says nothing but how the query went.
func antomResult(code, status string) map[string]any {
	return map[string]any{"result": map[string]any{
		"resultCode": code, "resultStatus": status, "resultMessage": strings.ToLower(strings.ReplaceAll(code, "_", " ")),
	}}
}

// antomPayment is the answer about a payment.
func antomPayment(p Payment) map[string]any {
	status, more := "", []string(nil)
	if words := strings.Fields(p.Status); len(words) > 0 {
		status, more = words[0], words[1:]
	}
	value := p.Script.Amount.Value
	method := p.Script.Method
	if method == "" {
		method = "CARD"
	}
	switch p.Step.Fault {
	case FaultWrongPayment:
		p.Reference += "_OTHER"
		p.Script.Aliases = nil
	case FaultWrongAmount:
		value++
	case FaultUnknownStatus:
		status, more = "XYLOGRAPHED", nil
	}
	answer := antomResult("SUCCESS", "S")
	maps.Copy(answer, map[string]any{
		"paymentStatus": status, "paymentRequestId": p.Reference, "paymentId": antomPaymentID(p), "paymentMethodType": method,
		"paymentAmount": antomAmount(value, p.Script.Amount.Currency), "paymentCreateTime": antomClock(p.Created),
	})
	switch status {
	case "SUCCESS":
		answer["paymentResultCode"], answer["paymentResultMessage"] = "SUCCESS", "success"
		answer["paymentTime"] = antomClock(p.Since)
		answer["actualPaymentAmount"] = answer["paymentAmount"]
		if method == "CARD" {
			answer["authExpiryTime"] = antomClock(p.Created.AddDate(0, 0, 7))
			answer["paymentResultInfo"] = map[string]any{
				"cardBrand": "VISA", "cardNo": "411111******1111", "funding": "CREDIT", "issuingCountry": "DE", "avsResultRaw": "A", "cvvResultRaw": "Y",
				"threeDSResult": map[string]any{"threeDSVersion": "2.2.0", "eci": "05", "cavv": "AAABBBCCCDDDEEEFFF==", "dsTransactionId": "ds-transaction"},
			}
		}
		answer["transactions"] = antomTransactions(p, more)
	case "CANCELLED":
		answer["transactions"] = antomTransactions(p, more)
	case "PROCESSING":
		answer["paymentResultCode"] = "PAYMENT_IN_PROCESS"
		answer["redirectActionForm"] = map[string]any{"method": "GET", "redirectUrl": "https://cashier.invalid/" + url.PathEscape(p.Reference)}
	case "FAIL":
		answer["paymentResultCode"] = "PROCESS_FAIL"
	}
	if len(more) > 0 && status != "SUCCESS" && status != "CANCELLED" {
		answer["paymentResultCode"] = more[0]
	}
	maps.Copy(answer, p.Step.Fields)
	return answer
}

// antomTransactions are rows that succeeded, each over the whole amount.
func antomTransactions(p Payment, types []string) []any {
	rows := make([]any, 0, len(types))
	for i, kind := range types {
		id := fmt.Sprintf("%s-%d", p.Reference, i+1)
		rows = append(rows, map[string]any{
			"transactionType": kind, "transactionStatus": "SUCCESS", "transactionId": id, "transactionRequestId": "request-" + id,
			"transactionAmount": antomAmount(p.Script.Amount.Value, p.Script.Amount.Currency), "transactionTime": antomClock(p.Since),
			"transactionResult": map[string]any{"resultCode": "SUCCESS", "resultStatus": "S", "resultMessage": "success"},
		})
	}
	return rows
}

// antomAmount writes an amount as the gateway does: the value is text.
func antomAmount(value int64, currency string) map[string]any {
	return map[string]any{"currency": currency, "value": strconv.FormatInt(value, 10)}
}

func antomClock(t time.Time) string { return t.In(antomPlace).Format(time.RFC3339) }

// antomPaymentID is the gateway's id of a payment: its first alias, else digits that stay the same for one reference.
func antomPaymentID(p Payment) string {
	if len(p.Script.Aliases) > 0 {
		return p.Script.Aliases[0]
	}
	sum := sha256.Sum256([]byte(p.Reference))
	return fmt.Sprintf("20260101%020d", binary.BigEndian.Uint64(sum[:8]))
}
