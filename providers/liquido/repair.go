package liquido

import (
	"bytes"
	"regexp"
	"strings"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/schemas/exactjson"
)

// parse reads a body as one JSON object, after a repair where it is not strictly JSON. The fault says why it is unreadable.
func parse(body []byte) (v exactjson.Value, repaired bool, fault *providers.Outcome) {
	v, fault = providers.ParseBody(body)
	if fault == nil || fault.Code != providers.CodeNotJSON {
		return v, false, fault
	}
	mended, found := quoteLeadingZeros(body)
	if !found {
		return v, false, fault
	}
	v, fault = providers.ParseBody(mended)
	return v, fault == nil, fault
}

// quoteLeadingZeros puts numbers with leading zeros, which JSON does not know, into quotes: Liquido's documentation shows
// "expirationMonth": 06. Quotes lose nothing, neither the zeros of a card's digits nor the value: as an integer "010" is ten.
// Nothing else is repaired. Found is false, and text is returned, where there is no such number.
func quoteLeadingZeros(text []byte) (mended []byte, found bool) {
	copied := 0
	for i := 0; i < len(text); {
		switch {
		case text[i] == '"':
			i = afterString(text, i)
		case startsNumber(text, i):
			end := afterNumber(text, i)
			if leadingZero.Match(text[i:end]) && isValue(text, i, end) {
				mended = append(mended, text[copied:i]...)
				mended = append(append(append(mended, '"'), text[i:end]...), '"')
				copied, found = end, true
			}
			i = end
		default:
			i++
		}
	}
	if !found {
		return text, false
	}
	return append(mended, text[copied:]...), true
}

// afterString gives the place behind the string that begins at i.
func afterString(text []byte, i int) int {
	for i++; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(text)
}

const numberBytes = "0123456789+-.eE"

func startsNumber(text []byte, i int) bool { return text[i] == '-' || isDigit(text[i]) }

func afterNumber(text []byte, i int) int {
	for i < len(text) && strings.IndexByte(numberBytes, text[i]) >= 0 {
		i++
	}
	return i
}

// leadingZero is a number that only its leading zeros keep from being JSON.
var leadingZero = regexp.MustCompile(`^-?0[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)

// isValue reports whether text[start:end] stands where a value stands: behind a colon, a comma or an opening bracket, and
// before a comma or a closing bracket. A name does not: a colon follows it.
func isValue(text []byte, start, end int) bool {
	const blanks = " \t\r\n"
	before, after := bytes.TrimRight(text[:start], blanks), bytes.TrimLeft(text[end:], blanks)
	return len(before) > 0 && strings.IndexByte(":,[", before[len(before)-1]) >= 0 &&
		(len(after) == 0 || strings.IndexByte(",]}", after[0]) >= 0)
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
