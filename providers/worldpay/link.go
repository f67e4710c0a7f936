package worldpay

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// api is where the provider's API is. Links from events and answers are held against it: only what stands on this very
// host is ever asked, because requests carry credentials.
type api struct {
	scheme string // lower case
	host   string // lower case, without port
	port   string // always there
	origin string // scheme and host as configured
	path   string // prefix of every path, without a slash at its end
}

var defaultPorts = map[string]string{"https": "443", "http": "80"}

func parseAPI(base string) (api, error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" {
		return api{}, errors.New("must be a URL like " + liveURL)
	}
	scheme := strings.ToLower(u.Scheme)
	host, port := splitAuthority(u.Host, scheme)
	return api{scheme: scheme, host: host, port: port, origin: scheme + "://" + u.Host, path: strings.TrimRight(u.EscapedPath(), "/")}, nil
}

func splitAuthority(authority, scheme string) (host, port string) {
	host = authority
	if i := strings.LastIndexByte(authority, ':'); i > strings.LastIndexByte(authority, ']') {
		host, port = authority[:i], authority[i+1:]
	}
	if port == "" {
		port = defaultPorts[scheme]
	}
	return strings.ToLower(host), port
}

// family is one of the APIs that a payment can be asked about through. Each has its own headers.
type family uint8

const (
	cardPayments family = iota
	paymentsAPI
	paymentQueries
	apm
)

// families are the paths below which links may lead.
var families = []struct {
	prefix string
	family family
}{
	{eventsPath + "/", cardPayments},
	{"/api/payments/", paymentsAPI},
	{"/paymentQueries/", paymentQueries},
	{"/apmPayments/", apm},
}

// link is a link that may be followed: on the configured host, below one of the families' paths.
type link struct {
	family family
	target string // path and query exactly as they stand in the link
}

// errOtherPath means that a link leads to the right host but to something that is not a query.
var errOtherPath = errors.New("must lead to /payments/events/, /api/payments/, /paymentQueries/ or /apmPayments/")

const maxLink = 8 * 1024 // bytes

var schemeOf = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9+.-]*):`)

// parse checks a link, absolute or relative, without changing a byte of its path. The errors are for people and say nothing
// of the link itself.
func (a api) parse(text string) (link, error) {
	if err := checkCharacters(text); err != nil {
		return link{}, err
	}
	relative := false
	switch scheme := schemeOf.FindStringSubmatch(text); {
	case strings.HasPrefix(text, "//"):
		text = text[len("//"):]
	case strings.HasPrefix(text, "/"):
		relative = true
	case scheme == nil:
		text, relative = "/"+text, true
	case strings.EqualFold(scheme[1], a.scheme) && strings.HasPrefix(text[len(scheme[0]):], "//"):
		text = text[len(scheme[0])+len("//"):]
	default:
		return link{}, a.foreign()
	}
	target := text
	if !relative {
		end := strings.IndexAny(text, "/?")
		if end < 0 {
			end = len(text)
		}
		if err := a.checkAuthority(text[:end]); err != nil {
			return link{}, err
		}
		target = text[end:]
	}
	return a.checkTarget(target, relative)
}

func checkCharacters(text string) error {
	if len(text) > maxLink {
		return fmt.Errorf("must be at most %d bytes", maxLink)
	}
	for i := range len(text) {
		switch c := text[i]; {
		case c == '\\':
			return errors.New("must not hold backslashes")
		case c == '#':
			return errors.New("must not have a fragment")
		case c <= ' ' || c >= 0x7f || c == '"' || c == '<' || c == '>':
			return errors.New("must not hold blanks, control characters, quotes, angle brackets or anything outside ASCII")
		}
	}
	return nil
}

func (a api) foreign() error {
	return fmt.Errorf("must be at %s, the host of the configured base_url: credentials are sent nowhere else", a.origin)
}

func (a api) checkAuthority(authority string) error {
	switch {
	case strings.Contains(authority, "@"):
		return errors.New("must not hold a user name or password")
	case strings.Contains(authority, "%"):
		return errors.New("must not have an encoded host or an IPv6 zone")
	}
	if host, port := splitAuthority(authority, a.scheme); host != a.host || port != a.port {
		return a.foreign()
	}
	return nil
}

// checkTarget checks path and query, and puts the configured path before a relative link that lacks it.
func (a api) checkTarget(target string, relative bool) (link, error) {
	path, _, _ := strings.Cut(target, "?")
	decoded, err := url.PathUnescape(path)
	if err != nil {
		return link{}, errors.New("must not hold broken percent-escapes")
	}
	for i := range len(decoded) {
		if c := decoded[i]; c < ' ' || c == 0x7f || c == '\\' {
			return link{}, errors.New("must not hold encoded control characters or backslashes")
		}
	}
	for segment := range strings.SplitSeq(decoded, "/") {
		if plain, _, _ := strings.Cut(segment, ";"); plain == "." || plain == ".." {
			return link{}, errors.New("must not hold . or .. segments")
		}
	}
	if below, ok := strings.CutPrefix(path, a.path+"/"); ok && a.path != "" {
		if f, ok := familyOf("/" + below); ok {
			return link{family: f, target: target}, nil
		}
	}
	f, ok := familyOf(path)
	if !ok {
		return link{}, errOtherPath
	}
	if relative {
		target = a.path + target
	}
	return link{family: f, target: target}, nil
}

func familyOf(path string) (family, bool) {
	for _, f := range families {
		if strings.HasPrefix(path, f.prefix) && len(path) > len(f.prefix) {
			return f.family, true
		}
	}
	// A list of payments is a query on the collection itself.
	return paymentQueries, path == paymentsPath
}

// aim points a request at a target on the configured host, byte for byte. Go's own parsing keeps most targets as they are;
// what it would encode otherwise is sent opaque.
func (a api) aim(request *http.Request, target string) {
	path, query, asked := strings.Cut(target, "?")
	u := url.URL{Scheme: a.scheme, Host: request.URL.Host, RawPath: path, RawQuery: query, ForceQuery: asked && query == ""}
	u.Path, _ = url.PathUnescape(path) // checked when the link was parsed
	if u.RequestURI() != target {
		u.Opaque = path
	}
	request.URL = &u
}
