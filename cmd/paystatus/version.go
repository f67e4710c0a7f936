package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/paystatus/paystatus/cmd/internal/cli"
)

// version is set at release by -ldflags "-X main.version=…". Without that it is the module's, where Go knows it.
var version = "dev"

func versionCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "version", Short: "Print the version", Args: cobra.NoArgs}
	output := cli.OutputFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if *output == cli.OutputJSON {
			v, revision := built()
			return cli.PrintJSON(cmd.OutOrStdout(), map[string]string{"version": v, "go": runtime.Version(), "revision": revision})
		}
		_, err := fmt.Fprintln(cmd.OutOrStdout(), versionText())
		return err
	}
	return cmd
}

func versionText() string {
	v, revision := built()
	return fmt.Sprintf("paystatus %s (%s, %s)", v, revision, runtime.Version())
}

// built is what the program was built from.
func built() (built, revision string) {
	built, revision = version, "unknown revision"
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return built, revision
	}
	if built == "dev" && info.Main.Version != "" && info.Main.Version != "(devel)" {
		built = info.Main.Version
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			revision = s.Value
		}
	}
	return built, revision
}
