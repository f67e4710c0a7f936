package archive

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/paystatus/paystatus/pipeline/kafka"
)

// maxLine is how long a line may be: the largest record, as base64, with all that stands around it.
const maxLine = 16 << 20

// compressed reports whether a file's name says that it is compressed.
func compressed(name string) bool { return strings.HasSuffix(name, ".gz") }

// LineError says which line of an archive cannot be used, and why.
type LineError struct {
	Line int64 // from 1
	Err  error
}

// Error is a sentence.
func (b *LineError) Error() string { return fmt.Sprintf("line %d: %v", b.Line, b.Err) }

// Unwrap is the reason.
func (b *LineError) Unwrap() error { return b.Err }

// Read gives every line of an archive to fn, with its number from 1 and how many bytes of the file were read. Name says whether
// it is compressed. A line that cannot be used ends it with a *LineError.
func Read(name string, from io.Reader, fn func(line, bytes int64, r kafka.Record) error) error {
	counted := &counting{from: from}
	from = counted
	if compressed(name) {
		unzipped, err := gzip.NewReader(counted)
		if err != nil {
			return fmt.Errorf("%s: it is not compressed by gzip: %w", name, err)
		}
		from = unzipped
	}
	lines := bufio.NewScanner(from)
	lines.Buffer(make([]byte, 0, 256<<10), maxLine)
	n := int64(0)
	for lines.Scan() {
		n++
		r, err := parse(lines.Bytes())
		if err != nil {
			return fmt.Errorf("%s: %w", name, &LineError{n, err})
		}
		if err := fn(n, counted.n, r); err != nil {
			return err
		}
	}
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return fmt.Errorf("%s: %w", name, &LineError{n + 1, fmt.Errorf("it is longer than %d bytes", maxLine)})
	case err != nil:
		return fmt.Errorf("%s: %w", name, &LineError{n + 1, err})
	}
	return nil
}

type counting struct {
	from io.Reader
	n    int64
}

func (c *counting) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	c.n += int64(n)
	return n, err //nolint:wrapcheck // a reader's error is told apart by identity
}

// writer writes an archive. The file has its name only once it is whole.
type writer struct {
	name string
	file *os.File
	zip  *gzip.Writer
	buf  *bufio.Writer
}

// create begins an archive; "-" is standard output.
func create(name string, stdout io.Writer) (*writer, error) {
	w := &writer{name: name}
	to := stdout
	if name != "-" {
		var err error
		if w.file, err = os.OpenFile(name+partial, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600); err != nil {
			return nil, fmt.Errorf("export: %w", err)
		}
		to = w.file
	}
	w.buf = bufio.NewWriterSize(to, 256<<10)
	if compressed(name) {
		w.zip = gzip.NewWriter(w.buf)
	}
	return w, nil
}

// partial ends the name of an archive that is being written.
const partial = ".partial"

func (w *writer) write(text []byte) error {
	var err error
	if w.zip != nil {
		_, err = w.zip.Write(text)
	} else {
		_, err = w.buf.Write(text)
	}
	if err != nil {
		return fmt.Errorf("export: write %s: %w", w.name, err)
	}
	return nil
}

// close ends the archive. One that is not whole is removed.
func (w *writer) close(failed error) error {
	var err error
	if w.zip != nil {
		err = w.zip.Close()
	}
	err = errors.Join(err, w.buf.Flush())
	if w.file == nil {
		return errors.Join(failed, err)
	}
	if failed == nil && err == nil {
		err = w.file.Sync()
	}
	err = errors.Join(err, w.file.Close())
	if failed != nil || err != nil {
		return errors.Join(failed, err, os.Remove(w.name+partial))
	}
	if err := os.Rename(w.name+partial, w.name); err != nil {
		return fmt.Errorf("export: %w", err)
	}
	return nil
}
