package providers

import (
	"errors"
	"fmt"
	"math"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Settings are the configuration keys that every provider has.
type Settings struct {
	// BaseURL is where the provider's API is: scheme, host and perhaps a path prefix. Plain http is accepted on loopback
	// addresses, or with AllowPlainHTTP.
	BaseURL string `yaml:"base_url"`

	// AllowPlainHTTP lets credentials travel unencrypted to BaseURL: for proxies on a private network.
	AllowPlainHTTP bool `yaml:"allow_plain_http"`

	// Timeout bounds one request from connecting to the last byte of the answer.
	Timeout time.Duration `yaml:"timeout"`

	// Concurrency is how many requests may be in flight to this provider at once.
	Concurrency int `yaml:"concurrency"`

	// Rate is how many requests a second an account may make. 0: no limit.
	Rate float64 `yaml:"rate"`

	// MaxAnswer is how large an answer may be, in bytes.
	MaxAnswer Size `yaml:"max_answer"`

	// Breaker stops asking a provider that fails all the time.
	Breaker BreakerSettings `yaml:"breaker"`

	// AcceptOtherAmount makes an answer about another amount than the initiated event's an observation with the anomaly
	// amount_differs instead of a mismatch.
	AcceptOtherAmount bool `yaml:"accept_other_amount"`
}

// BreakerSettings say when a provider is left alone, and for how long.
type BreakerSettings struct {
	Failures int           `yaml:"failures"` // this many failures in a row open the breaker
	Open     time.Duration `yaml:"open"`     // how long before it is tried again
}

// Size is a number of bytes. In the configuration it is written with a unit: "256KiB".
type Size int64

// sizeUnits are the units of a size, the largest first.
var sizeUnits = []struct {
	name  string
	bytes int64
}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"GB", 1e9}, {"MB", 1e6}, {"KB", 1e3}, {"B", 1}}

// UnmarshalText reads "256KiB".
func (s *Size) UnmarshalText(text []byte) error {
	for _, unit := range sizeUnits {
		number, found := strings.CutSuffix(string(text), unit.name)
		if !found {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(number), 10, 64)
		if err != nil || n < 0 || n > math.MaxInt64/unit.bytes {
			break
		}
		*s = Size(n * unit.bytes)
		return nil
	}
	return errors.New("must be a size with a unit, like 256KiB or 1MiB")
}

// MarshalText writes "256KiB": the largest unit of which the size is a whole number.
func (s Size) MarshalText() ([]byte, error) {
	for _, unit := range sizeUnits[:3] {
		if n := int64(s); n != 0 && n%unit.bytes == 0 {
			return fmt.Appendf(nil, "%d%s", n/unit.bytes, unit.name), nil
		}
	}
	return fmt.Appendf(nil, "%dB", int64(s)), nil
}

// DefaultSettings are the defaults of every provider, for the API at baseURL.
func DefaultSettings(baseURL string) Settings {
	return Settings{
		BaseURL: baseURL, Timeout: 8 * time.Second, Concurrency: 512, Rate: 50, MaxAnswer: 256 << 10,
		Breaker: BreakerSettings{Failures: 20, Open: 30 * time.Second},
	}
}

// Problem is something wrong in the configuration: at which key below the provider's own, and what to do about it.
type Problem struct {
	Key  string // "accounts.default.secret_key"
	Text string
}

// Validate names what is wrong with the settings.
func (s Settings) Validate() []Problem {
	problems := CheckURL("base_url", s.BaseURL, s.AllowPlainHTTP)
	for _, positive := range []struct {
		key string
		ok  bool
	}{
		{"timeout", s.Timeout > 0},
		{"concurrency", s.Concurrency > 0},
		{"max_answer", s.MaxAnswer > 0},
		{"breaker.failures", s.Breaker.Failures > 0},
		{"breaker.open", s.Breaker.Open > 0},
	} {
		if !positive.ok {
			problems = append(problems, Problem{positive.key, "must be more than zero"})
		}
	}
	if !(s.Rate >= 0) || math.IsInf(s.Rate, 1) { // not a number compares with nothing
		problems = append(problems, Problem{"rate", "must be a number and not negative; 0 means no limit"})
	}
	return problems
}

// CheckURL names what is wrong with the URL of an API at key.
func CheckURL(key, text string, allowPlain bool) []Problem {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return []Problem{{key, "must be a URL like https://api.example.com"}}
	case u.User != nil:
		return []Problem{{key, "must not hold a user or password; credentials stand with the account"}}
	case u.RawQuery != "" || u.Fragment != "":
		return []Problem{{key, "must not have a query or fragment"}}
	case u.Scheme == "http" && !allowPlain && !loopback(u.Hostname()):
		return []Problem{{key, fmt.Sprintf("plain http would show credentials on the network; use https, or set allow_plain_http: true (host %s)", u.Host)}}
	}
	return nil
}

func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
