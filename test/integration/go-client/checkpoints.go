package main

import (
	"sort"
	"syscall"

	"github.com/containerd/containerd"
	"github.com/containerd/containerd/cio"
	"github.com/containerd/containerd/images"
)

func checkpoints(s *story) {
	image := s.pulled()
	counting := func(id string) (containerd.Container, containerd.Task) {
		var out output
		container := s.container(image, id,
			"n=0; echo ready; while true; do n=$((n+1)); echo $n > /dev/shm/count; sleep 0.1; done")
		task, err := container.NewTask(s, s.streams(nil, &out, nil))
		s.must("create", err)
		s.must("start", task.Start(s))
		s.awaits("it is ready", &out, "ready")
		return container, task
	}
	contents := func(what string, of containerd.Image) {
		children, err := images.Children(s, s.client.ContentStore(), of.Target())
		var types []string
		for _, child := range children {
			types = append(types, child.MediaType)
		}
		sort.Strings(types)
		got(s, what, types, err)
	}
	container, task := counting("lasting")
	first, err := container.Checkpoint(s, "checkpoint:first", containerd.WithCheckpointImage, containerd.WithCheckpointRuntime,
		containerd.WithCheckpointRW, containerd.WithCheckpointTask)
	s.must("checkpoint what goes on", err)
	contents("what is in it", first)
	s.state("state afterwards", task)
	s.deleted("delete and kill", task, containerd.WithProcessKill)
	s.try("delete its container", container.Delete(s, containerd.WithSnapshotCleanup))

	container, task = counting("ending")
	exits := s.waited("wait", task)
	second, err := container.Checkpoint(s, "checkpoint:second", containerd.WithCheckpointImage, containerd.WithCheckpointRuntime,
		containerd.WithCheckpointRW, containerd.WithCheckpointTaskExit, containerd.WithCheckpointTask)
	s.must("checkpoint what ends with it", err)
	contents("what is in that", second)
	s.ended("its end", exits)
	s.deleted("delete the task", task)
	s.try("delete the container", container.Delete(s, containerd.WithSnapshotCleanup))

	restored, err := s.client.Restore(s, "copy", second, containerd.WithRestoreImage, containerd.WithRestoreSpec,
		containerd.WithRestoreRuntime, containerd.WithRestoreRW)
	s.must("restore", err)
	again, err := restored.NewTask(s, cio.NullIO, containerd.WithTaskCheckpoint(second))
	s.must("create a task from it", err)
	exits = s.waited("wait for it", again)
	s.must("start it", again.Start(s))
	s.state("its state", again)
	var counted output
	reader, err := again.Exec(s, "reader", process("a=$(cat /dev/shm/count); while [ $(cat /dev/shm/count) = $a ]; do sleep 0.1; done; echo counts"),
		s.streams(nil, &counted, nil))
	s.must("exec in it", err)
	s.must("start the exec", reader.Start(s))
	s.awaits("it goes on counting", &counted, "counts")
	s.ended("the end of the exec", s.waited("wait for the exec", reader))
	s.deleted("delete the exec", reader)
	s.try("kill it", again.Kill(s, syscall.SIGKILL))
	s.ended("the end of what was restored", exits)
	s.deleted("delete what was restored", again)
	s.try("delete its container", restored.Delete(s, containerd.WithSnapshotCleanup))
	s.try("delete the first checkpoint", s.client.ImageService().Delete(s, first.Name()))
	s.try("delete the second checkpoint", s.client.ImageService().Delete(s, second.Name()))
}
