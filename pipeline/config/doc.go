// Package config reads the configuration: one YAML file, values from the environment inside it, secrets from files beside
// it, and the environment alone. It exists so that everything that is wrong with a configuration is said at once, with file,
// line and key, before anything is connected; and so that each key is declared once, as a field with its default.
package config
