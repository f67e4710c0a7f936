package main

import (
	"fmt"
	"strings"

	"github.com/paystatus/paystatus/schemas"
)

// tables are the parts of the README that come from Go, by the name in the markers around them.
func tables() map[string]string {
	return map[string]string{"statuses": statusTable(), "transitions": transitionTable(), "unresolved": unresolvedTable()}
}

func statusTable() string {
	var b strings.Builder
	b.WriteString("| status | meaning | final | funds |\n|---|---|---|---|\n")
	for _, row := range schemas.Statuses {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", row.Status, row.Meaning, yes(row.Final), row.Funds)
	}
	return b.String()
}

func transitionTable() string {
	next := map[schemas.Status][]string{}
	for _, move := range schemas.Transitions() {
		next[move.From] = append(next[move.From], "`"+string(move.To)+"`")
	}
	var b strings.Builder
	b.WriteString("| after | may come |\n|---|---|\n")
	for _, row := range schemas.Statuses {
		moves := strings.Join(next[row.Status], " ")
		if moves == "" {
			moves = "nothing"
		}
		fmt.Fprintf(&b, "| `%s` | %s |\n", row.Status, moves)
	}
	return b.String()
}

func unresolvedTable() string {
	var b strings.Builder
	b.WriteString("| `reason.code` | meaning | final |\n|---|---|---|\n")
	for _, row := range schemas.UnresolvedReasons {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", row.Code, row.Meaning, yes(row.Final))
	}
	return b.String()
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// fill puts each table between its markers.
func fill(page string) (string, error) {
	for name, table := range tables() {
		begin, end := "<!-- "+name+": made by go generate -->\n", "<!-- end of "+name+" -->"
		before, rest, found := strings.Cut(page, begin)
		_, after, closed := strings.Cut(rest, end)
		if !found || !closed {
			return "", fmt.Errorf("the markers of the table %q are missing", name)
		}
		page = before + begin + table + end + after
	}
	return page, nil
}
