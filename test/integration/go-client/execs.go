package main

import (
	"io"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/containerd/containerd"
	"github.com/containerd/containerd/cio"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// process runs a script in a container.
func process(script string) *specs.Process {
	return &specs.Process{Args: []string{"sh", "-c", script}, Cwd: "/", Env: []string{"PATH=/bin", "GIVEN=yes"}}
}

func execs(s *story) {
	container := s.container(s.pulled(), "main", forever)
	task, err := container.NewTask(s, cio.NullIO)
	s.must("create", err)
	s.must("start", task.Start(s))

	var out, errs output
	first, err := task.Exec(s, "first", process("echo $GIVEN; echo err >&2; cat; exit 5"),
		s.streams(strings.NewReader("input\n"), &out, &errs))
	s.must("exec", err)
	s.state("state when created", first)
	_, err = task.Exec(s, "first", process("true"), cio.NullIO)
	s.try("exec under the same id", err)
	exits := s.waited("wait", first)
	s.must("start the exec", first.Start(s))
	s.is("it has a process", first.Pid() > 0)
	s.try("end its input", first.CloseIO(s, containerd.WithStdinCloser))
	s.ended("its end", exits)
	first.IO().Wait()
	s.is("output", []string{out.text(), errs.text()})
	s.state("state when ended", first)
	s.try("start it again", first.Start(s))
	s.deleted("delete it", first)
	s.deleted("delete it again", first)

	var lasting output
	second, err := task.Exec(s, "second", process("trap 'exit 3' TERM; echo ready; "+forever), s.streams(nil, &lasting, nil))
	s.must("exec one that goes on", err)
	exits = s.waited("wait for it", second)
	s.must("start it", second.Start(s))
	s.awaits("it is ready", &lasting, "ready")
	s.state("its state", second)
	s.deleted("delete what runs", second)
	loaded, err := task.LoadProcess(s, "second", nil)
	if s.try("load it", err) {
		s.is("same process", loaded.Pid() == second.Pid())
	}
	_, err = task.LoadProcess(s, "missing", nil)
	s.try("load what is missing", err)
	pids, err := task.Pids(s)
	if s.try("processes", err) {
		told := 0
		for _, one := range pids {
			if one.Info != nil {
				told++
			}
		}
		s.is("one of the processes is an exec", told)
	}
	s.try("end it", second.Kill(s, syscall.SIGTERM))
	s.ended("the end of it", exits)
	s.deleted("delete what was ended", second)

	third, err := task.Exec(s, "third", process(forever), cio.NullIO)
	s.must("exec a third", err)
	s.must("start the third", third.Start(s))
	s.deleted("delete and kill", third, containerd.WithProcessKill)

	missing, err := task.Exec(s, "missing", &specs.Process{Args: []string{"/missing"}, Cwd: "/"}, cio.NullIO)
	if s.try("exec what is missing", err) {
		s.try("start what is missing", missing.Start(s))
		s.state("its state then", missing)
		s.deleted("delete what is missing", missing)
	}
	unused, err := task.Exec(s, "unused", process("true"), cio.NullIO)
	if s.try("exec what is not started", err) {
		s.try("kill what is not started", unused.Kill(s, syscall.SIGKILL))
		s.state("state of what is not started", unused)
		s.deleted("delete what is not started", unused)
	}
	for _, id := range []string{"", "a/b", "with space"} {
		_, err = task.Exec(s, id, process("true"), cio.NullIO)
		s.try("exec under the id "+id, err)
	}

	closing(s, task)
	sized(s, task)

	last, err := task.Exec(s, "last", process(forever), cio.NullIO)
	s.must("exec a last", err)
	exits = s.waited("wait for the last", last)
	s.must("start the last", last.Start(s))
	s.try("kill the task", task.Kill(s, syscall.SIGKILL))
	s.ended("the end of the last", exits)
	s.ended("the end of the task", s.waited("wait for the task", task))
	_, err = task.Exec(s, "late", process("true"), cio.NullIO)
	s.try("exec in what has ended", err)
	s.deleted("delete the last", last)
	s.deleted("delete the task", task)
	s.try("delete the container", container.Delete(s, containerd.WithSnapshotCleanup))
}

// closing is what the end of an input does, and what it does not before the client has closed its own.
func closing(s *story, task containerd.Task) {
	reading, writing, err := os.Pipe()
	s.must("make a pipe", err)
	var out output
	counted, err := task.Exec(s, "counted", process("wc -c"), s.streams(io.Reader(reading), &out, nil))
	s.must("exec one that reads to the end", err)
	exits := s.waited("wait for the reader", counted)
	s.must("start the reader", counted.Start(s))
	s.try("say that the input will end", counted.CloseIO(s, containerd.WithStdinCloser))
	time.Sleep(300 * time.Millisecond)
	s.state("state of the reader meanwhile", counted)
	_, err = writing.Write([]byte("12345"))
	s.must("write", err)
	s.must("close", writing.Close())
	s.ended("the end of the reader", exits)
	counted.IO().Wait()
	s.is("what it counted", out.text())
	s.deleted("delete the reader", counted)
}

func sized(s *story, task containerd.Task) {
	reading, writing, err := os.Pipe()
	s.must("make a pipe", err)
	defer writing.Close()
	spec := process("read x; stty size")
	spec.Terminal = true
	var out output
	exec, err := task.Exec(s, "sized", spec, s.streams(io.Reader(reading), &out, nil, cio.WithTerminal))
	s.must("exec with a terminal", err)
	exits := s.waited("wait for it", exec)
	s.must("start it", exec.Start(s))
	s.try("resize", exec.Resize(s, 120, 33))
	_, err = writing.Write([]byte("\n"))
	s.must("write", err)
	s.ended("the end of the one with a terminal", exits)
	exec.IO().Wait()
	s.is("its size", strings.TrimSpace(out.text()))
	s.deleted("delete the one with a terminal", exec)
}
