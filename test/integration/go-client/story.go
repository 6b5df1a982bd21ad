package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/containerd/containerd"
	"github.com/containerd/containerd/errdefs"
	"github.com/containerd/containerd/images"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// A story is the run of a scenario: what its calls are made with, and the telling of what came of them.
type story struct {
	context.Context
	client    *containerd.Client
	address   string
	namespace string
	registry  string
	directory string

	mutex sync.Mutex
}

// A step is one line of output: what was done, and what came of it.
type step struct {
	Step  string `json:"step"`
	Value any    `json:"value,omitempty"`
	// Kind of the error, as a client tells errors apart.
	Error string `json:"error,omitempty"`
	// What the error says, for whoever looks into a difference; it is not compared.
	Text string `json:"text,omitempty"`
}

// end is what a panic carries when a story cannot go on; it has been told.
var end = errors.New("the story ends")

// tell runs a scenario to its end and reports whether it got there.
func (s *story) tell(run func(*story)) (whole bool) {
	defer func() {
		if reason := recover(); reason != nil && reason != error(end) {
			panic(reason)
		}
	}()
	run(s)
	return true
}

func (s *story) print(line step) {
	text, err := json.Marshal(line)
	if err != nil {
		panic(err)
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	fmt.Fprintf(os.Stdout, "%s\n", text)
}

// is tells a value that was found.
func (s *story) is(what string, value any) {
	s.print(step{Step: what, Value: value})
}

// try tells whether a call succeeded, or with what kind of error it failed.
func (s *story) try(what string, err error) bool {
	if err != nil {
		s.print(step{Step: what, Error: kind(err), Text: s.hidden(err.Error())})
		return false
	}
	s.print(step{Step: what, Value: "done"})
	return true
}

// must is try for a call without which the rest makes no sense.
func (s *story) must(what string, err error) {
	if !s.try(what, err) {
		panic(end)
	}
}

// got tells what a call returned, or with what kind of error it failed.
func got[T any](s *story, what string, value T, err error) {
	if err != nil {
		s.try(what, err)
		return
	}
	s.is(what, value)
}

// kind is the name by which programs tell an error from others.
func kind(err error) string {
	switch {
	case errdefs.IsNotFound(err):
		return "not found"
	case errdefs.IsAlreadyExists(err):
		return "already exists"
	case errdefs.IsInvalidArgument(err):
		return "invalid argument"
	case errdefs.IsFailedPrecondition(err):
		return "failed precondition"
	case errdefs.IsUnavailable(err):
		return "unavailable"
	case errdefs.IsNotImplemented(err):
		return "not implemented"
	case errdefs.IsCanceled(err) || errors.Is(err, context.Canceled):
		return "canceled"
	case errdefs.IsDeadlineExceeded(err) || errors.Is(err, context.DeadlineExceeded):
		return "deadline exceeded"
	}
	if found, ok := status.FromError(err); ok && found.Code() != codes.Unknown {
		return found.Code().String()
	}
	return "unknown"
}

// image is the reference of the image in the registry, which runs: busybox in two layers, for two platforms.
func (s *story) image() string {
	return s.registry + "/busybox:latest"
}

// pulled is that image, unpacked.
func (s *story) pulled() containerd.Image {
	image, err := s.client.Pull(s, s.image(), containerd.WithPullUnpack)
	s.must("pull the image", err)
	return image
}

// hold keeps what the rest of a story makes from the collector, which comes at any time, until the call that it returns.
func (s *story) hold() (release func()) {
	held, done, err := s.client.WithLease(s.Context)
	s.must("take a lease", err)
	s.Context = held
	return func() { s.try("give the lease back", done(s)) }
}

// hidden takes what differs between two runs by their making out of a text.
func (s *story) hidden(text string) string {
	text = strings.ReplaceAll(text, s.directory, "DIRECTORY")
	return strings.ReplaceAll(text, s.namespace, "NAMESPACE")
}

// between tells whether a time lies between one from before a call and now.
func (s *story) between(what string, before, told time.Time) {
	s.is(what, !told.Before(before) && !told.After(time.Now()))
}

// target is of a record of an image what must be the same.
func target(image images.Image) any {
	return map[string]any{"name": image.Name, "target": image.Target, "labels": image.Labels}
}
