package snapshot_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/pipeline/snapshot"
)

func TestOffsetsAreReadAsTheyAreWritten(t *testing.T) {
	t.Parallel()
	got, err := snapshot.ParseOffsets("0:0-120, 1:17-,2:-5,3,4:5-6")
	require.NoError(t, err)
	assert.Equal(t, snapshot.Spans{0: {To: 120}, 1: {From: 17}, 2: {To: 5}, 3: {}, 4: {From: 5, To: 6}}, got)
	for _, wrong := range []string{"x", "-1", "1:", "1:5", "1:a-b", "1-2", "1,1", ",", "1:-1-2", "-1:0-1", "1:5-5", "1:5-3", "1:0-0"} {
		_, err := snapshot.ParseOffsets(wrong)
		require.Error(t, err, wrong)
	}
}

func TestAListOfPaymentsIsOneALine(t *testing.T) {
	t.Parallel()
	ids, err := snapshot.ReadIDs(strings.NewReader("a\r\n\n b \nc"))
	require.NoError(t, err)
	assert.Equal(t, map[string]bool{"a": true, "b": true, "c": true}, ids)
	_, err = snapshot.ReadIDs(strings.NewReader("\n"))
	require.Error(t, err)
}
