// Command generate writes what follows from the Go declarations in package schemas: the JSON Schemas of the events and the
// tables in the README. It exists so that a status, a field or an enum is declared once; go generate runs it.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/paystatus/paystatus/schemas"
)

func main() {
	if err := run("."); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func run(folder string) error {
	files, err := generate(folder)
	if err != nil {
		return err
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o644); err != nil { //nolint:gosec // source files are for everybody to read
			return err
		}
	}
	return nil
}

// generate gives every file that is generated, by its name in folder, where the page to fill stands.
func generate(folder string) (map[string][]byte, error) {
	status, err := statusEvent()
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for name, doc := range map[string]schema{
		schemas.StatusSchemaFile:            status,
		schemas.InitiatedSchemaFile:         initiatedEvent(),
		schemas.StatusEnvelopeSchemaFile:    statusEnvelope(),
		schemas.InitiatedEnvelopeSchemaFile: initiatedEnvelope(),
	} {
		if files[name], err = doc.bytes(); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	page, err := os.ReadFile(filepath.Join(folder, "README.md"))
	if err != nil {
		return nil, err
	}
	filled, err := fill(string(page))
	if err != nil {
		return nil, fmt.Errorf("README.md: %w", err)
	}
	files["README.md"] = []byte(filled)
	return files, nil
}
