package main

import (
	"bytes"
	"io"
)

// standardLog takes what libraries log that know no logger of ours. net/http shows there, word for word, what a server sends
// without being asked: perhaps the credentials that it was just sent. That part is left out.
type standardLog struct{ to io.Writer }

func (l standardLog) Write(line []byte) (int, error) {
	text, _, told := bytes.Cut(line, []byte(" starting with "))
	if told {
		text = append(bytes.Clone(text), '\n')
	}
	if _, err := l.to.Write(text); err != nil {
		return 0, err
	}
	return len(line), nil
}
