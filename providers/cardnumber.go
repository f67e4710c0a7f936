package providers

import (
	"slices"
	"strconv"
	"unicode"
	"unicode/utf8"
)

// Full card numbers have 13 to 19 digits.
const (
	minCardDigits = 13
	maxCardDigits = 19
	shownPrefix   = 6
	shownSuffix   = 4
)

// MaskCardNumbers replaces all but the first six and last four digits of every full card number in text by asterisks. A
// number that equals one of own is an identifier and stays. The text itself is not changed; without a finding it is
// returned as it is.
func MaskCardNumbers(text []byte, own []string) (masked []byte, found bool) {
	masked = text
	// No two bytes of a card number in a row are not digits, so that none can begin between i and i+stride unless one of the
	// two bytes at its place is a digit.
	const stride = minCardDigits - 1
	for i := 0; i+1 < len(text); {
		if !isDigit(text[i]) && !isDigit(text[i+1]) {
			i += stride
			continue
		}
		start, letter := runStart(text, i)
		digits, end := digitRun(text, start)
		i = max(end, i+1)
		if digits < minCardDigits || letter || startsWithLetter(text[end:]) || slices.Contains(own, string(text[start:end])) {
			continue
		}
		for _, number := range cardNumbers(text, groups(text[:end], start), own) {
			if !found {
				masked, found = slices.Clone(text), true
			}
			mask(masked[number.start:number.end])
		}
	}
	return masked, found
}

// runStart goes back from i, where there or one further a digit stands, to where its run of digits begins, and says whether a
// letter stands before it. One of JSON's escapes there counts as what it stands for.
func runStart(text []byte, i int) (start int, letter bool) {
	if !isDigit(text[i]) {
		i++
	}
	for i > 0 && (isDigit(text[i-1]) || i > 1 && (text[i-1] == ' ' || text[i-1] == '-') && isDigit(text[i-2])) {
		i--
	}
	const escape = len(`\u0000`)
	for begin := max(0, i-escape); begin < i; begin++ {
		if !escapes(text, begin) {
			continue
		}
		if begin+2 == i && text[begin+1] != 'u' {
			return i, false
		}
		if end := begin + escape; text[begin+1] == 'u' && end >= i && end <= len(text) {
			code, err := strconv.ParseUint(string(text[begin+2:end]), 16, 16)
			return end, err == nil && unicode.IsLetter(rune(code))
		}
	}
	return i, isLetterBefore(text, i)
}

// escapes reports whether a backslash at i begins an escape, and is not itself escaped.
func escapes(text []byte, i int) bool {
	if text[i] != '\\' || i+1 == len(text) {
		return false
	}
	before := 0
	for before < i && text[i-1-before] == '\\' {
		before++
	}
	return before%2 == 0
}

func isLetterBefore(text []byte, i int) bool {
	r, _ := utf8.DecodeLastRune(text[:i])
	return unicode.IsLetter(r)
}

func startsWithLetter(text []byte) bool {
	r, _ := utf8.DecodeRune(text)
	return unicode.IsLetter(r)
}

// digitRun counts the digits from i on, across single blanks or hyphens between groups of them, and says where they end.
func digitRun(text []byte, i int) (digits, end int) {
	for end = i; end < len(text); end++ {
		switch c := text[end]; {
		case isDigit(c):
			digits++
		case digits > 0 && (c == ' ' || c == '-') && end+1 < len(text) && isDigit(text[end+1]):
		default:
			return digits, end
		}
	}
	return digits, end
}

// span is a group of digits in a text, or several with what stands between them.
type span struct{ start, end int }

// groups splits a run of digits at the blanks and hyphens inside.
func groups(text []byte, i int) []span {
	var all []span
	for start := i; i <= len(text); i++ {
		if i == len(text) || !isDigit(text[i]) {
			all = append(all, span{start, i})
			start = i + 1
		}
	}
	return all
}

// cardNumbers finds the card numbers among the groups of a run, the longest first, each group in one of them at most.
func cardNumbers(text []byte, groups []span, own []string) []span {
	var found []span
	var buffer [maxCardDigits]byte
	for first := 0; first < len(groups); first++ {
		digits, match := buffer[:0], -1
		for last := first; last < len(groups); last++ {
			g := groups[last]
			if len(digits)+g.end-g.start > maxCardDigits {
				break
			}
			digits = append(digits, text[g.start:g.end]...)
			if isCardNumber(digits) && !slices.Contains(own, string(digits)) && !slices.Contains(own, string(text[groups[first].start:g.end])) {
				match = last
			}
		}
		if match >= 0 {
			found = append(found, span{groups[first].start, groups[match].end})
			first = match
		}
	}
	return found
}

func mask(number []byte) {
	digits := 0
	for _, c := range number {
		if isDigit(c) {
			digits++
		}
	}
	n := 0
	for i, c := range number {
		if !isDigit(c) {
			continue
		}
		if n++; n > shownPrefix && n <= digits-shownSuffix {
			number[i] = '*'
		}
	}
}

// isCardNumber tells whether digits are a number that an issuer could have issued: first digits, length, check digit.
func isCardNumber(digits []byte) bool {
	n := len(digits)
	if n < minCardDigits || n > maxCardDigits {
		return false
	}
	two := int(digits[0]-'0')*10 + int(digits[1]-'0')
	four := two*100 + int(digits[2]-'0')*10 + int(digits[3]-'0')
	switch {
	case digits[0] == '4': // Visa
		return (n == 13 || n == 16 || n == 19) && luhn(digits)
	case two >= 51 && two <= 55, four >= 2221 && four <= 2720: // Mastercard
		return n == 16 && luhn(digits)
	case two == 34, two == 37: // American Express
		return n == 15 && luhn(digits)
	case digits[0] == '3', digits[0] == '5', digits[0] == '6':
		return n >= 14 && luhn(digits)
	default:
		return false
	}
}

func luhn(digits []byte) bool {
	sum := 0
	for i := range digits {
		d := int(digits[len(digits)-1-i] - '0')
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
