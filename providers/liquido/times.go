package liquido

import (
	"strings"
	"time"
)

// layouts are the ways in which Liquido writes the times of a charge. A time without a zone is none of them: nobody says
// whose clock it is.
var layouts = []string{
	"2006-01-02 15:04:05 GMT-07:00", // a zone named MST in a layout would not read "GMT-08:00"
	"2006-01-02 15:04:05 UTC",
	"2006-01-02 15:04:05 GMT",
	time.RFC3339,
}

// parseTime reads a time, as UTC; zero when it is none.
func parseTime(text string) time.Time {
	text = strings.TrimSpace(text)
	for _, layout := range layouts {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}
