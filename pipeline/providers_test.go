package pipeline_test

import (
	"os"
	"path/filepath"

	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/pipeline"
	"github.com/paystatus/paystatus/pipeline/config"
	"github.com/paystatus/paystatus/pipeline/demo"
	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/providers/sandbox"
)

// connect makes the providers for the world's sandbox, through a configuration file as everybody's.
func (w *world) connect(simulators []sandbox.Simulator) map[string]providers.Provider {
	path := filepath.Join(w.t.TempDir(), "paystatus.yaml")
	require.NoError(w.t, os.WriteFile(path, []byte(demo.SandboxConfig(simulators, w.url)), 0o600))
	c, problems := config.Load(path, nil, pipeline.Providers)
	require.NoError(w.t, config.Err(problems))
	for _, settings := range c.Providers {
		settings.Common().Rate = 0 // the simulators take what comes
	}
	w.configured = c
	all, err := pipeline.Connect(c, nil)
	require.NoError(w.t, err)
	return all
}
