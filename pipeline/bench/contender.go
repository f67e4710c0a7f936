package bench

import "context"

// The names of the contenders that are measured here.
const (
	NameBare     = "bare"
	NameAdapter  = "adapter"
	NamePipeline = "pipeline"
)

// Contender is a way to do the work: consume the messages of one topic, ask the provider about each, write its answers to
// another topic.
type Contender struct {
	Name string

	// Ordered says that it promises to write the answers of one key in the order of the key's messages.
	Ordered bool

	// Groups are the consumer groups, by topic, in which it promises to have committed everything when it ends; nil: none.
	Groups func(Load) map[string]string

	// Answer takes the provider's answer out of the value of a record that it wrote; nil: the value is the answer.
	Answer func(value []byte) ([]byte, error)

	// AtMost is how many messages it is given at once, for one that would need too long; 0: any number.
	AtMost int

	// Run works until ctx ends, in a process of its own.
	Run func(ctx context.Context, load Load, score *Score) error
}

// Contenders are the bare loop, the adapter alone, and the whole pipeline.
func Contenders() []Contender {
	return []Contender{
		{Name: NameBare, Run: runBare},
		{
			Name: NameAdapter, Ordered: true, Run: runAdapter,
			Groups: func(l Load) map[string]string { return map[string]string{l.Source: adapterGroup(l)} },
		},
		{Name: NamePipeline, Ordered: true, Run: runPipeline, Answer: rawBody, Groups: pipelineGroups},
	}
}
