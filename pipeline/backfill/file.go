package backfill

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/paystatus/paystatus/handlers"
)

// Columns are the columns of a CSV file of payments: the fields of the initiated event's data. An empty cell states nothing.
// Of reference and metadata there is a column for each name, such as reference.idempotency_key or metadata.order.
var Columns = []string{"payment_id", "provider", "account", "value", "currency", "initiated_at", "capture", "method", "return_url"}

const (
	columnReference = "reference."
	columnMetadata  = "metadata."
)

// maxComplaints bounds how many bad lines an error names.
const maxComplaints = 20

// complaints collects what is wrong with the lines of a file.
type complaints struct {
	file string
	all  []error
}

func (c *complaints) addf(line int, format string, args ...any) {
	if len(c.all) < maxComplaints {
		c.all = append(c.all, fmt.Errorf("%s, line %d: %w", c.file, line, fmt.Errorf(format, args...)))
	} else if len(c.all) == maxComplaints {
		c.all = append(c.all, fmt.Errorf("%s, line %d and perhaps others: there is more to complain about", c.file, line))
	}
}

// ReadJSON puts in the payments of a file with an initiated event a line: its data, or a structured CloudEvent. The error names
// the bad lines. Name is how errors call the file.
func (p *Payments) ReadJSON(name string, from io.Reader) error {
	wrong := &complaints{file: name}
	reader := bufio.NewReader(from)
	for line := 1; ; line++ {
		text, err := reader.ReadBytes('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("read %s: %w", name, err)
		}
		if text = bytes.TrimSpace(text); len(text) > 0 {
			p.takeLine(wrong, line, text)
		}
		if err != nil {
			return errors.Join(wrong.all...)
		}
	}
}

// ReadCSV puts in the payments of a CSV file: a line with the names of Columns, then a payment a line. The error names the bad
// lines. Name is how errors call the file.
func (p *Payments) ReadCSV(name string, from io.Reader) error {
	wrong := &complaints{file: name}
	reader := csv.NewReader(from)
	header, err := reader.Read()
	if err != nil {
		return fmt.Errorf("%s: the first line must name the columns: %w", name, err)
	}
	header[0] = strings.TrimPrefix(header[0], "\ufeff")
	for i, column := range header {
		header[i] = strings.TrimSpace(column)
		known := slices.Contains(Columns, header[i]) || strings.HasPrefix(header[i], columnReference) || strings.HasPrefix(header[i], columnMetadata)
		switch {
		case !known:
			wrong.addf(1, "there is no column %q; there are %s, %s… and %s…", header[i], strings.Join(Columns, ", "), columnReference, columnMetadata)
		case slices.Contains(header[:i], header[i]):
			wrong.addf(1, "column %s is there twice", header[i])
		}
	}
	if len(wrong.all) > 0 {
		return errors.Join(wrong.all...)
	}
	for {
		row, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return errors.Join(wrong.all...)
		}
		line, _ := reader.FieldPos(0)
		syntax := (*csv.ParseError)(nil)
		switch {
		case errors.Is(err, csv.ErrFieldCount):
			wrong.addf(line, "has %d fields and the first line %d", len(row), len(header))
		case errors.As(err, &syntax):
			wrong.addf(syntax.Line, "%w", syntax.Err)
			return errors.Join(wrong.all...) // where the next line begins is a guess
		case err != nil:
			return fmt.Errorf("read %s: %w", name, err)
		default:
			text, err := json.Marshal(data(header, row))
			if err != nil {
				return fmt.Errorf("%s, line %d: %w", name, line, err)
			}
			p.takeLine(wrong, line, text)
		}
	}
}

// data is the initiated event's data of a row.
func data(header, row []string) map[string]any {
	all, amount, reference, metadata := map[string]any{}, map[string]any{}, map[string]any{}, map[string]any{}
	for i, cell := range row {
		column := header[i]
		switch {
		case cell == "":
		case column == "value":
			amount[column] = cell
			if n, err := strconv.ParseInt(strings.TrimSpace(cell), 10, 64); err == nil {
				amount[column] = n
			}
		case column == "currency":
			amount[column] = cell
		case strings.HasPrefix(column, columnReference):
			reference[strings.TrimPrefix(column, columnReference)] = cell
		case strings.HasPrefix(column, columnMetadata):
			metadata[strings.TrimPrefix(column, columnMetadata)] = cell
		default:
			all[column] = cell
		}
	}
	all["amount"] = amount
	if len(reference) > 0 {
		all["reference"] = reference
	}
	if len(metadata) > 0 {
		all["metadata"] = metadata
	}
	return all
}

func (p *Payments) takeLine(wrong *complaints, line int, text []byte) {
	p.count(func(c *Counts) { c.Records++ })
	check, refusal := p.intake.Read(handlers.Message{Value: text})
	switch {
	case refusal != nil:
		wrong.addf(line, "%s (%s)", refusal.Detail, refusal.Code)
		return
	case check == nil:
		wrong.addf(line, "is a CloudEvent of another type than payment initiated")
		return
	}
	// A line of a file has no place among the records of the topic: what those say is the earlier.
	check.Origin, check.Context.Earliest, check.Context.Origins = nil, nil, nil
	if err := p.add(check); err != nil {
		wrong.addf(line, "%w", err)
	}
}
