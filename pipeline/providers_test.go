package pipeline_test

import (
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/providers/liquido"
	"github.com/paystatus/paystatus/providers/sandbox"
)

func simulators() []sandbox.Simulator { return []sandbox.Simulator{sandbox.Liquido()} }

func definitions() []providers.Definition { return []providers.Definition{liquido.Definition} }

func (w *world) providers() map[string]providers.Provider {
	all := map[string]providers.Provider{}
	for i, s := range simulators() {
		var section map[string]yaml.Node
		require.NoError(w.t, yaml.Unmarshal([]byte(s.Config(w.url+"/"+s.Name())), &section))
		settings := definitions()[i].Settings()
		node := section[s.Name()]
		require.NoError(w.t, node.Decode(settings))
		provider, err := definitions()[i].New(settings, providers.Options{})
		require.NoError(w.t, err)
		all[s.Name()] = provider
	}
	return all
}
