package main

import (
	"bytes"
	"io"
	"path/filepath"
	"sync"
	"time"

	"github.com/containerd/containerd"
	"github.com/containerd/containerd/cio"
	"github.com/containerd/containerd/oci"
)

// output is a buffer that is written to while it is looked at.
type output struct {
	mutex sync.Mutex
	bytes.Buffer
}

func (o *output) Write(data []byte) (int, error) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	return o.Buffer.Write(data)
}

func (o *output) text() string {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	return o.Buffer.String()
}

// awaits waits until the output has a text, and tells whether that came.
func (s *story) awaits(what string, in *output, text string) {
	s.is(what, s.eventually(func() bool { return bytes.Contains([]byte(in.text()), []byte(text)) }))
}

// eventually waits until something holds, for some seconds at most.
func (s *story) eventually(holds func() bool) bool {
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if holds() {
			return true
		}
	}
	return false
}

// container is one of the image that runs a script.
func (s *story) container(image containerd.Image, id, script string, with ...oci.SpecOpts) containerd.Container {
	all := append([]oci.SpecOpts{
		oci.WithImageConfig(image), oci.WithProcessArgs("sh", "-c", script), oci.WithCgroup("/" + s.namespace + "/" + id),
	}, with...)
	made, err := s.client.NewContainer(s, id, containerd.WithImage(image), containerd.WithNewSnapshot(id, image),
		containerd.WithNewSpec(all...))
	s.must("create "+id, err)
	return made
}

// streams are a creator of input and output that keeps FIFOs in the directory of this run.
func (s *story) streams(in io.Reader, out, errs io.Writer, with ...cio.Opt) cio.Creator {
	if errs == nil {
		errs = io.Discard
	}
	all := append([]cio.Opt{cio.WithStreams(in, out, errs), cio.WithFIFODir(filepath.Join(s.directory, "fifos"))}, with...)
	return cio.NewCreator(all...)
}

// ended tells with what a process ended.
func (s *story) ended(what string, exits <-chan containerd.ExitStatus) {
	select {
	case exit := <-exits:
		code, at, err := exit.Result()
		got(s, what, code, err)
		s.is(what+": its time is set", !at.IsZero())
	case <-time.After(30 * time.Second):
		s.is(what, "not within 30 seconds")
	}
}

func (s *story) state(what string, of containerd.Process) {
	status, err := of.Status(s)
	got(s, what, []any{status.Status, status.ExitStatus}, err)
}

func (s *story) waited(what string, of containerd.Process) <-chan containerd.ExitStatus {
	exits, err := of.Wait(s)
	s.must(what, err)
	return exits
}

func (s *story) deleted(what string, of containerd.Process, with ...containerd.ProcessDeleteOpts) {
	exit, err := of.Delete(s, with...)
	if err != nil {
		s.try(what, err)
		return
	}
	s.is(what, exit.ExitCode())
}
