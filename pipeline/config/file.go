package config

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"
)

// beside resolves a path as one relative to the configuration file.
func (d *decoder) beside(path string) (string, error) {
	if !filepath.IsAbs(path) {
		path = filepath.Join(d.dir, path)
	}
	return filepath.Abs(path)
}

func (d *decoder) setFile(v reflect.Value, text string) error {
	if text == "" {
		v.SetString("")
		return nil
	}
	path, err := d.beside(text)
	if err == nil {
		_, err = readFile(path)
	}
	if err != nil {
		return fmt.Errorf("the file cannot be read: %w", err)
	}
	v.SetString(path)
	return nil
}

// fileSuffix after the key of a secret makes the key of the file that holds it.
const fileSuffix = "_file"

// secretFile reads a secret from the file that node names.
func (d *decoder) secretFile(node *yaml.Node, v reflect.Value, path string) {
	name, ok := d.text(node, path)
	if !ok || name == "" {
		return
	}
	full, err := d.beside(name)
	if err != nil {
		d.complainf(node, path, "the file cannot be read: %s", err)
		return
	}
	content, err := readFile(full)
	secret := strings.TrimSuffix(strings.TrimSuffix(string(content), "\n"), "\r")
	switch {
	case err != nil:
		d.complainf(node, path, "the file cannot be read: %s", err)
	case secret == "":
		d.complainf(node, path, "the file is empty")
	default:
		v.SetString(secret)
	}
}

// largestFile bounds keys and certificates, so that a wrong path (a device, a log) does no harm.
const largestFile = 1 << 20

func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, fmt.Errorf("%s is a directory", path)
	case info.Size() > largestFile:
		return nil, fmt.Errorf("%s is larger than 1 MiB", path)
	}
	return os.ReadFile(path)
}
