package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/containerd/containerd"
	"github.com/containerd/containerd/cio"
	"github.com/containerd/containerd/oci"
	"github.com/opencontainers/runtime-spec/specs-go"
)

const forever = "while true; do sleep 1; done"

func tasks(s *story) {
	image := s.pulled()
	once(s, image)
	signals(s, image)
	frozen(s, image)
	terminal(s, image)
	logs(s, image)
	failures(s, image)
	removed(s, image)
}

// once is a task from its creation to its deletion.
func once(s *story, image containerd.Image) {
	container := s.container(image, "once", "echo out; echo err >&2; cat; pwd; exit 7")
	var out, errs output
	task, err := container.NewTask(s, s.streams(strings.NewReader("given\n"), &out, &errs))
	s.must("create a task", err)
	s.state("state when created", task)
	s.is("it has a process", task.Pid() > 0)
	exits := s.waited("wait", task)
	loaded, err := container.Task(s, nil)
	if s.try("load the task", err) {
		s.is("same process", loaded.Pid() == task.Pid())
	}
	_, err = container.NewTask(s, cio.NullIO)
	s.try("create a second task", err)
	s.try("delete its container", container.Delete(s))
	before := time.Now()
	s.must("start", task.Start(s))
	s.try("end the input", task.CloseIO(s, containerd.WithStdinCloser))
	s.ended("its end", exits)
	s.try("wait for the output", waitIO(task))
	s.is("output", []string{out.text(), errs.text()})
	s.state("state when ended", task)
	status, err := task.Status(s)
	s.must("status", err)
	s.between("ended in the time of the run", before, status.ExitTime)
	s.try("start again", task.Start(s))
	s.try("kill what has ended", task.Kill(s, syscall.SIGKILL))
	s.ended("wait for what has ended", s.waited("wait again", task))
	s.deleted("delete", task)
	s.deleted("delete again", task)
	_, err = container.Task(s, nil)
	s.try("load what is deleted", err)
	s.try("delete the container", container.Delete(s, containerd.WithSnapshotCleanup))
}

func waitIO(task containerd.Task) error {
	task.IO().Wait()
	return task.IO().Close()
}

func signals(s *story, image containerd.Image) {
	container := s.container(image, "signals", "trap 'echo term; exit 9' TERM; trap 'echo hup' HUP; echo ready; "+forever)
	var out output
	task, err := container.NewTask(s, s.streams(nil, &out, nil))
	s.must("create", err)
	exits := s.waited("wait", task)
	others := s.waited("wait twice", task)
	s.must("start", task.Start(s))
	s.state("state when started", task)
	s.awaits("is ready", &out, "ready")
	s.deleted("delete what runs", task)
	s.try("send a signal", task.Kill(s, syscall.SIGHUP))
	s.awaits("got the signal", &out, "hup")
	s.try("send a signal that there is not", task.Kill(s, syscall.Signal(200)))
	s.try("send a signal to an exec that there is not", task.Kill(s, syscall.SIGHUP, containerd.WithKillExecID("missing")))
	s.try("end", task.Kill(s, syscall.SIGTERM))
	s.ended("its end", exits)
	s.ended("its end for the other", others)
	task.IO().Wait()
	s.is("output", out.text())
	s.deleted("delete", task)

	all := s.container(image, "all", "sleep 1000 & sleep 1000 & "+forever, oci.WithHostNamespace(specs.PIDNamespace))
	task, err = all.NewTask(s, cio.NullIO)
	s.must("create one without processes of its own", err)
	exits = s.waited("wait for it", task)
	s.must("start it", task.Start(s))
	s.is("has three processes or more", s.eventually(func() bool {
		pids, err := task.Pids(s)
		return err == nil && len(pids) >= 3
	}))
	s.try("kill all", task.Kill(s, syscall.SIGKILL, containerd.WithKillAll))
	s.ended("the end of all", exits)
	s.deleted("delete all", task)

	last := s.container(image, "last", forever)
	task, err = last.NewTask(s, cio.NullIO)
	s.must("create a last", err)
	s.must("start the last", task.Start(s))
	s.deleted("delete and kill", task, containerd.WithProcessKill)
	for _, one := range []containerd.Container{container, all, last} {
		s.try("delete "+one.ID(), one.Delete(s, containerd.WithSnapshotCleanup))
	}
}

func frozen(s *story, image containerd.Image) {
	container := s.container(image, "frozen", forever, oci.WithMemoryLimit(64<<20))
	task, err := container.NewTask(s, cio.NullIO)
	s.must("create", err)
	s.try("pause what is not started", task.Pause(s))
	s.must("start", task.Start(s))
	s.try("pause", task.Pause(s))
	s.state("state when paused", task)
	s.try("pause again", task.Pause(s))
	_, err = task.Exec(s, "paused", process("true"), cio.NullIO)
	s.try("exec in what is paused", err)
	s.try("resume", task.Resume(s))
	s.state("state when resumed", task)
	s.try("resume again", task.Resume(s))
	metric, err := task.Metrics(s)
	if s.try("metrics", err) {
		s.is("type of the metrics", []any{metric.ID, metric.Data.GetTypeUrl()})
	}
	limit := int64(48 << 20)
	s.try("update", task.Update(s, containerd.WithResources(&specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: &limit}})))
	pids, err := task.Pids(s)
	got(s, "has processes", len(pids) > 0, err)
	spec, err := task.Spec(s)
	got(s, "spec", spec != nil, err)
	s.deleted("delete", task, containerd.WithProcessKill)
	s.try("delete the container", container.Delete(s, containerd.WithSnapshotCleanup))
}

func terminal(s *story, image containerd.Image) {
	container := s.container(image, "terminal", "stty size; read line; stty size; echo got:$line; tty >/dev/null && echo terminal",
		oci.WithTTY, oci.WithTTYSize(100, 40))
	reading, writing, err := os.Pipe()
	s.must("make a pipe", err)
	defer reading.Close()
	defer writing.Close()
	var out output
	task, err := container.NewTask(s, s.streams(reading, &out, nil, cio.WithTerminal))
	s.must("create", err)
	exits := s.waited("wait", task)
	s.must("start", task.Start(s))
	s.awaits("first size", &out, "40 100")
	s.try("resize", task.Resize(s, 81, 25))
	_, err = writing.Write([]byte("hello\n"))
	s.must("write", err)
	s.ended("its end", exits)
	s.try("wait for the output", waitIO(task))
	s.is("output", strings.Split(out.text(), "\r\n"))
	s.try("resize what has ended", task.Resize(s, 80, 25))
	s.deleted("delete", task)
	s.try("delete the container", container.Delete(s, containerd.WithSnapshotCleanup))
}

func logs(s *story, image containerd.Image) {
	// Of standard error containerd's shim may lose some where both go to one file.
	container := s.container(image, "logs", "echo out")
	file := filepath.Join(s.directory, "log")
	for range 2 {
		task, err := container.NewTask(s, cio.LogFile(file))
		s.must("create with a log", err)
		exits := s.waited("wait", task)
		s.must("start", task.Start(s))
		s.ended("its end", exits)
		s.deleted("delete", task)
	}
	text, err := os.ReadFile(file)
	got(s, "log", string(text), err)
	quiet, err := container.NewTask(s, cio.NullIO)
	s.must("create without output", err)
	exits := s.waited("wait for the quiet one", quiet)
	s.must("start the quiet one", quiet.Start(s))
	s.ended("its end", exits)
	s.deleted("delete the quiet one", quiet)
	s.try("delete the container", container.Delete(s, containerd.WithSnapshotCleanup))
}

func failures(s *story, image containerd.Image) {
	run := func(what string, with ...oci.SpecOpts) {
		container := s.container(image, "fails", "true", with...)
		task, err := container.NewTask(s, cio.NullIO)
		if s.try(what+": create", err) {
			s.try(what+": start", task.Start(s))
			s.state(what+": state", task)
			s.deleted(what+": delete", task)
		}
		s.try(what+": delete the container", container.Delete(s, containerd.WithSnapshotCleanup))
	}
	run("a program that is missing", oci.WithProcessArgs("/missing"))
	run("a directory that is missing", oci.WithProcessArgs("true"), oci.WithProcessCwd("/etc/passwd"))
	run("no arguments", oci.WithProcessArgs())
	run("a mount of what is missing", oci.WithMounts([]specs.Mount{{
		Type: "bind", Source: filepath.Join(s.directory, "missing"), Destination: "/mnt", Options: []string{"rbind"},
	}}))
	other, err := s.client.NewContainer(s, "runtime", containerd.WithImage(image), containerd.WithNewSnapshot("runtime", image),
		containerd.WithRuntime("io.containerd.missing.v9", nil), containerd.WithNewSpec(oci.WithImageConfig(image)))
	if s.try("create one of a runtime that is missing", err) {
		_, err = other.NewTask(s, cio.NullIO)
		s.is("its task fails", err != nil)
		s.try("delete it", other.Delete(s, containerd.WithSnapshotCleanup))
	}
	bare, err := s.client.NewContainer(s, "bare", containerd.WithNewSpec(oci.WithProcessArgs("true")))
	if s.try("create one without a snapshot", err) {
		_, err = bare.NewTask(s, cio.NullIO)
		s.is("its task fails as well", err != nil)
		s.try("delete the bare one", bare.Delete(s))
	}
}

// removed is a task that was never started: the library does not delete it before it has ended.
func removed(s *story, image containerd.Image) {
	container := s.container(image, "removed", forever)
	task, err := container.NewTask(s, cio.NullIO)
	s.must("create", err)
	exits := s.waited("wait", task)
	s.deleted("delete what was never started", task)
	s.try("kill what was never started", task.Kill(s, syscall.SIGKILL))
	s.ended("its end", exits)
	s.deleted("delete what was killed", task)
	s.try("delete the container", container.Delete(s, containerd.WithSnapshotCleanup))
}
