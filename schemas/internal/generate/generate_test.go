package main

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/schemas"
)

const folder = "../.." // package schemas

func TestTheFilesAreWhatGoSays(t *testing.T) {
	t.Parallel()
	files, err := generate(folder)
	require.NoError(t, err)
	require.Len(t, files, 5)
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join(folder, name))
		require.NoError(t, err)
		assert.Equal(t, string(want), string(got), "%s is out of date: go generate ./schemas", name)
	}
}

func TestAFieldWithoutADescriptionIsAnError(t *testing.T) {
	t.Parallel()
	fresh := func() *types { return &types{known: statusTypes, defs: map[string]schema{}} }
	of := reflect.TypeFor[schemas.Dispute]()

	_, err := fresh().object(of, schema{}, notes{"id": {Description: "Its id."}})
	require.ErrorContains(t, err, "outcome has no description")

	_, err = fresh().object(of, schema{}, notes{"id": {Description: "Its id."}, "outcome": {Description: "x"}, "old": {Description: "x"}})
	assert.ErrorContains(t, err, "has no field old")
}

func TestAGoTypeThatJSONSchemaCannotSayIsAnError(t *testing.T) {
	t.Parallel()
	type odd struct {
		Rate float64 `json:"rate"`
	}
	_, err := (&types{}).object(reflect.TypeFor[odd](), schema{}, notes{"rate": {Description: "Money is never a float."}})
	assert.ErrorContains(t, err, "float64")
}

func TestEveryEnumOfGoIsADefinition(t *testing.T) {
	t.Parallel()
	doc, err := statusEvent()
	require.NoError(t, err)
	enums := map[string]int{}
	for _, def := range doc.Defs {
		if def.schema.Enum != nil {
			enums[def.name] = len(def.schema.Enum)
		}
	}
	assert.Equal(t, map[string]int{
		"status": len(schemas.Statuses), "funds": 7, "anomaly": len(schemas.AllAnomalies), "source": len(schemas.Sources),
		"cause": len(schemas.Causes), "reason_category": len(schemas.Categories), "dispute_outcome": len(schemas.DisputeOutcomes),
	}, enums)
}

func TestAPageWithoutMarkersIsAnError(t *testing.T) {
	t.Parallel()
	_, err := fill("# A page\n")
	assert.ErrorContains(t, err, "markers")
}
