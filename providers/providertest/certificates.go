package providertest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"sync"
	"time"
)

// issuer signs the certificates of hosts in tests.
type issuer struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	pool        *x509.CertPool
}

// life is from when to when a certificate is good.
type life struct{ from, to time.Time }

var (
	epoch  = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	valid  = life{epoch, epoch.AddDate(100, 0, 0)}
	ended  = life{epoch, epoch.AddDate(1, 0, 0)}
	begins = life{epoch.AddDate(99, 0, 0), epoch.AddDate(100, 0, 0)}
)

// authority is the one that checks trust.
var authority = sync.OnceValue(func() *issuer { return newIssuer("authority") })

func newIssuer(name string) *issuer {
	i := &issuer{key: newKey(), pool: x509.NewCertPool()}
	template := template(name, valid)
	template.IsCA, template.BasicConstraintsValid, template.KeyUsage = true, true, x509.KeyUsageCertSign
	i.certificate = must(x509.ParseCertificate(must(x509.CreateCertificate(rand.Reader, template, template, i.key.Public(), i.key))))
	i.pool.AddCert(i.certificate)
	return i
}

// certify makes the TLS configuration of a host.
func (i *issuer) certify(host string, l life) *tls.Config {
	template, key := template(host, l), newKey()
	template.DNSNames = []string{host}
	der := must(x509.CreateCertificate(rand.Reader, template, i.certificate, key.Public(), i.key))
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}
}

// selfSigned makes the TLS configuration of a host that vouches for itself.
func selfSigned(host string) *tls.Config { return newIssuer(host).certify(host, valid) }

// old speaks no version of TLS that is safe.
func old(c *tls.Config) *tls.Config {
	c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	return c
}

func template(name string, l life) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: l.from, NotAfter: l.to,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
}

func newKey() *ecdsa.PrivateKey { return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) }

// must gives the value of what cannot fail.
func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}
