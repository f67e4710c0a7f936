package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/cmd/internal/cli"
)

const secret = "sk_thisstringmustneverbeshownabcd"

// broken is wrong in a line each; the line's comment says how.
const broken = `kafka:
  brokers: [kafka-1]                      # kafka.brokers: must be host:port
  session_timeout: 10                     # kafka.session_timeout: must have a unit
  colour: red                             # kafka.colour: is not a key
topics: {partitions: many}                # topics.partitions: must be a whole number
http: {listen: nowhere}                   # http.listen: must be host:port
log: {level: loud}                        # log.level: must be one of debug, info, warn, error
providers:
  checkout:
    base_url: http://api.checkout.com     # providers.checkout.base_url: plain http would show credentials
    accounts:
      default: {secret_key: "${NOWHERE}"} # providers.checkout.accounts.default.secret_key: the environment variable NOWHERE is not set
      second: {secret_key: ` + secret + `, secret: x} # providers.checkout.accounts.second.secret: is not a key
  paypal: {}                              # providers.paypal: is not a provider; there are
schedules:
  default:
    open: {deadline: soon}                # schedules.default.open.deadline: must
`

func TestEveryCommandNamesEverythingThatIsWrongWithTheConfiguration(t *testing.T) {
	t.Parallel()
	path := file(t, "broken.yaml", broken)
	var want []string
	for i, line := range strings.Split(broken, "\n") {
		if _, says, ok := strings.Cut(line, "# "); ok {
			want = append(want, fmt.Sprintf("%s:%d: %s", path, i+1, says))
		}
	}
	payment := file(t, "payment.json", `{"payment_id": "order-1", "provider": "checkout", "amount": {"value": 4990, "currency": "EUR"},
		"initiated_at": "2026-01-31T12:00:00Z", "reference": {"payment_id": "pay_aaaaaaaaaaaaaaaaaaaaaaaaaa"}}`)
	for _, args := range [][]string{
		{"config", "check"},
		{"run"},
		{"run", "--embedded"},
		{"topics", "create"},
		{"topics", "check"},
		{"schedule", "explain"},
		{"query", "--payment", payment},
		{"normalize", "--provider", "checkout", payment},
	} {
		t.Run(strings.Join(args[:min(2, len(args))], " "), func(t *testing.T) {
			t.Parallel()
			r := paystatus(t, append(args, "--config", path)...)
			assert.Equal(t, cli.ExitFailed, r.code)
			for _, problem := range want {
				assert.Contains(t, r.stderr, problem)
			}
			assert.Equal(t, len(want), strings.Count(r.stderr, path+":"), r.stderr)
			assert.NotContains(t, r.stdout+r.stderr, secret)
			if args[0] != "config" {
				assert.Empty(t, r.stdout)
			}
		})
	}
}

func TestConfigCheckPrintsWhatIsInEffectWithoutSecrets(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, "key"), []byte(secret+"\n"), 0o600))
	path := filepath.Join(folder, "paystatus.yaml")
	require.NoError(t, os.WriteFile(path, []byte("providers: {checkout: {accounts: {default: {secret_key_file: key}}}}"), 0o600))
	cmd := program(t, "config", "check", "-c", path)
	cmd.Env = append(cmd.Env, "PAYSTATUS_KAFKA_GROUP=billing")
	r := finished(t, cmd)
	assert.Zero(t, r.code)
	assert.Equal(t, "Nothing is wrong, but `paystatus run` would not start: kafka.brokers is empty: name your brokers in the configuration, "+
		"or start with --embedded\n", r.stderr)
	assert.Contains(t, r.stdout, "secret_key: '********'")
	assert.Contains(t, r.stdout, "group: billing")
	assert.Contains(t, r.stdout, "timeout: 8s")
	assert.NotContains(t, r.stdout, secret)

	r = paystatus(t, "config", "check", "-c", file(t, "broken.yaml", broken))
	assert.Contains(t, r.stdout, "secret_key: '********'", "what can be read is shown next to what is wrong")
	assert.Contains(t, r.stderr, "paystatus: the configuration is wrong in 11 places, named above\n")

	cmd = program(t, "config", "check")
	cmd.Env = append(cmd.Env, "PAYSTATUS_KAFKA_GRUP=billing")
	r = finished(t, cmd)
	assert.Equal(t, cli.ExitFailed, r.code)
	assert.Contains(t, r.stderr, "environment variable PAYSTATUS_KAFKA_GRUP: sets no key")
}
