package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"sync"
	"time"
)

// process is a part that runs.
type process struct {
	command *exec.Cmd
	in      io.WriteCloser
	notices chan notice // closed when the part says nothing more
	close   sync.Once
}

// patience is how long a part may need to end before it is killed.
const patience = time.Minute

// process starts a part.
func (b *bench) process(ctx context.Context, o order) (*process, error) {
	first, err := json.Marshal(o)
	if err != nil {
		return nil, fmt.Errorf("write the order: %w", err)
	}
	command := exec.CommandContext(ctx, b.Command[0], b.Command[1:]...) //nolint:gosec // this program itself
	command.Stderr, command.WaitDelay = b.Log, time.Second
	in, err := command.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", o.Role, err)
	}
	out, err := command.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", o.Role, err)
	}
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", o.Role, err)
	}
	p := &process{command: command, in: in, notices: make(chan notice, 64)}
	go func() {
		defer close(p.notices)
		for lines := json.NewDecoder(out); ; {
			var n notice
			if lines.Decode(&n) != nil {
				return
			}
			p.notices <- n
		}
	}()
	if _, err := in.Write(append(first, '\n')); err != nil {
		p.stop()
		return nil, fmt.Errorf("start %s: %w", o.Role, err)
	}
	return p, nil
}

// next is what the part says next.
func (p *process) next(ctx context.Context) (notice, error) {
	select {
	case n, ok := <-p.notices:
		if !ok {
			return n, errors.New("its process ended early")
		}
		return n, nil
	case <-ctx.Done():
		return notice{}, context.Cause(ctx)
	}
}

// cpu asks for the CPU time of a part that only serves.
func (p *process) cpu(ctx context.Context) (time.Duration, error) {
	if _, err := p.in.Write([]byte("cpu\n")); err != nil {
		return 0, fmt.Errorf("ask for the CPU time: %w", err)
	}
	n, err := p.next(ctx)
	if err != nil {
		return 0, err
	}
	if n.CPU == nil {
		return 0, errors.New("the CPU time was asked for and something else said")
	}
	return *n.CPU, nil
}

// stop ends the part and waits for its end.
func (p *process) stop() {
	p.close.Do(func() {
		_ = p.in.Close()
		kill := time.AfterFunc(patience, func() { _ = p.command.Process.Kill() })
		defer kill.Stop()
		for range p.notices { // what it still says does not matter
		}
		_ = p.command.Wait() // what mattered it has said
	})
}
