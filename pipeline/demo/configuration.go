package demo

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/paystatus/paystatus/pipeline"
	"github.com/paystatus/paystatus/pipeline/config"
	"github.com/paystatus/paystatus/providers/sandbox"
)

// Simulators are the simulated APIs of all providers.
func Simulators() []sandbox.Simulator {
	return []sandbox.Simulator{sandbox.Checkout(), sandbox.Antom(), sandbox.Worldpay(), sandbox.Liquido()}
}

// SandboxConfig is a configuration that asks the simulators at url, as YAML.
func SandboxConfig(simulators []sandbox.Simulator, url string) string {
	var b strings.Builder
	b.WriteString("providers:\n")
	for _, s := range simulators {
		for line := range strings.Lines(s.Config(url + "/" + s.Name())) {
			b.WriteString("  " + line)
		}
	}
	return b.String()
}

// schedule is the demo's: seconds where real payments take minutes.
const schedule = `
schedules:
  default:
    open: {delays: [1s, 1s, 2s], every: 2s, deadline: 2m}
    authorized: {delays: [1s, 1s], every: 2s, deadline: 2m}
    refund: {delays: [1s], every: 2s, deadline: 2m}
    not_found_grace: 6s
    reference_window: 5s
    recheck: 1s
    unavailable: {initial: 1s, max: 2s}
    unreadable: {initial: 1s, max: 2s}
    refused: {every: 1s}
  liquido:
    methods:
      pay_cash: {open: {delays: [7s]}}   # what is seldom asked about, a webhook tells earlier
`

// configuration is the demo's own, through the same reader as everybody's. It stays at path, if there is one.
func configuration(providers, broker, path string) (*config.Config, error) {
	if path == "" {
		dir, err := os.MkdirTemp("", "paystatus-demo-")
		if err != nil {
			return nil, fmt.Errorf("demo: %w", err)
		}
		defer func() { _ = os.RemoveAll(dir) }()
		path = filepath.Join(dir, "demo.yaml")
	}
	text := "kafka: {brokers: [" + broker + "], session_timeout: 6s}\n" +
		"topics: {partitions: 4, replication: 1, min_insync: 1}\n" +
		"events: {mode: structured}\n" +
		"http: {listen: \"127.0.0.1:0\"}\n" + schedule + providers
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return nil, fmt.Errorf("demo: write the configuration: %w", err)
	}
	c, problems := config.Load(path, nil, pipeline.Providers)
	if err := config.Err(problems); err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	for _, settings := range c.Providers {
		settings.Common().Rate = 0 // the simulators bear everything
	}
	return c, nil
}
