package main

import (
	"context"
	"sync"
	"syscall"
	"time"

	"github.com/containerd/containerd"
	eventtypes "github.com/containerd/containerd/api/events"
	"github.com/containerd/containerd/cio"
	"github.com/containerd/containerd/events"
	"github.com/containerd/containerd/images"
	"github.com/containerd/containerd/protobuf"
	"github.com/containerd/typeurl/v2"
)

// A listener keeps what a subscription brings, in its order.
type listener struct {
	mutex sync.Mutex
	seen  []*events.Envelope
	stop  context.CancelFunc
	ended chan error
}

func (s *story) listen(filters ...string) *listener {
	ctx, stop := context.WithCancel(s.Context)
	messages, errs := s.client.Subscribe(ctx, filters...)
	l := &listener{stop: stop, ended: make(chan error, 1)}
	go func() {
		for {
			select {
			case message := <-messages:
				l.mutex.Lock()
				l.seen = append(l.seen, message)
				l.mutex.Unlock()
			case err := <-errs:
				l.ended <- err
				return
			}
		}
	}()
	return l
}

func (l *listener) has(topic string) bool {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	for _, one := range l.seen {
		if one.Topic == topic {
			return true
		}
	}
	return false
}

// value is of an event what is the same in each run.
func (s *story) value(of *events.Envelope) any {
	decoded, err := typeurl.UnmarshalAny(of.Event)
	if err != nil {
		return err.Error()
	}
	switch event := decoded.(type) {
	case *eventtypes.ImageCreate:
		return []any{s.hidden(event.Name), event.Labels}
	case *eventtypes.ImageUpdate:
		return []any{s.hidden(event.Name), event.Labels}
	case *eventtypes.ImageDelete:
		return s.hidden(event.Name)
	case *eventtypes.ContainerCreate:
		return []any{event.ID, event.Image, event.Runtime.GetName(), event.Runtime.GetOptions().GetTypeUrl()}
	case *eventtypes.ContainerUpdate:
		return []any{event.ID, event.Image, event.Labels, event.SnapshotKey}
	case *eventtypes.ContainerDelete:
		return event.ID
	case *eventtypes.SnapshotPrepare:
		return []any{event.Key, event.Parent, event.Snapshotter}
	case *eventtypes.SnapshotCommit:
		return []any{event.Name, event.Snapshotter}
	case *eventtypes.SnapshotRemove:
		return []any{event.Key, event.Snapshotter}
	case *eventtypes.NamespaceCreate:
		return []any{s.hidden(event.Name), event.Labels}
	case *eventtypes.NamespaceUpdate:
		return []any{s.hidden(event.Name), event.Labels}
	case *eventtypes.NamespaceDelete:
		return s.hidden(event.Name)
	case *eventtypes.TaskCreate:
		return []any{event.ContainerID, event.Bundle != "", len(event.Rootfs), event.IO.GetTerminal(), event.Checkpoint, event.Pid > 0}
	case *eventtypes.TaskStart:
		return []any{event.ContainerID, event.Pid > 0}
	case *eventtypes.TaskExit:
		return []any{event.ContainerID, event.ID, event.ExitStatus, event.Pid > 0, event.ExitedAt != nil}
	case *eventtypes.TaskDelete:
		return []any{event.ContainerID, event.ID, event.ExitStatus, event.Pid > 0, event.ExitedAt != nil}
	case *eventtypes.TaskExecAdded:
		return []any{event.ContainerID, event.ExecID}
	case *eventtypes.TaskExecStarted:
		return []any{event.ContainerID, event.ExecID, event.Pid > 0}
	case *eventtypes.TaskPaused:
		return event.ContainerID
	case *eventtypes.TaskResumed:
		return event.ContainerID
	}
	return of.Event.GetTypeUrl()
}

// told ends a subscription and tells all that it brought.
func (s *story) told(what string, l *listener) {
	l.stop()
	err := <-l.ended
	s.try(what+": ends", err)
	l.mutex.Lock()
	defer l.mutex.Unlock()
	var all []any
	var last time.Time
	ordered := true
	for _, one := range l.seen {
		all = append(all, []any{s.hidden(one.Namespace), one.Topic, s.value(one)})
		ordered = ordered && !one.Timestamp.Before(last)
		last = one.Timestamp
	}
	s.is(what, all)
	s.is(what+": in the order of their times", ordered)
}

func eventsScenario(s *story) {
	image := s.pulled()
	own := "namespace==" + s.namespace
	all := s.listen(own)
	exits := s.listen(own+`,topic=="/tasks/exit"`, own+`,topic=="/tasks/delete"`)
	byID := s.listen(own + ",event.container_id==main")
	bad := s.listen("topic=")
	select {
	case err := <-bad.ended:
		s.try("subscribe by a filter that is none", err)
	case <-time.After(10 * time.Second):
		s.is("subscribe by a filter that is none", "no answer")
	}
	bad.stop()

	service := s.client.EventService()
	// The subscriptions stand when each has brought one that was published for it.
	s.is("subscriptions stand", s.eventually(func() bool {
		_ = service.Publish(s, "/ready", &eventtypes.ImageDelete{Name: "ready"})
		return all.has("/ready")
	}))
	all.mutex.Lock()
	all.seen = nil
	all.mutex.Unlock()
	time.Sleep(100 * time.Millisecond)

	container := s.container(image, "main", forever)
	task, err := container.NewTask(s, cio.NullIO)
	s.must("create a task", err)
	s.must("start", task.Start(s))
	exec, err := task.Exec(s, "exec", process("exit 4"), cio.NullIO)
	s.must("exec", err)
	done := s.waited("wait for the exec", exec)
	s.must("start the exec", exec.Start(s))
	s.ended("end of the exec", done)
	s.deleted("delete the exec", exec)
	s.try("pause", task.Pause(s))
	s.try("resume", task.Resume(s))
	done = s.waited("wait", task)
	s.try("kill", task.Kill(s, syscall.SIGKILL))
	s.ended("end", done)
	s.deleted("delete the task", task)
	_, err = container.SetLabels(s, map[string]string{"color": "red"})
	s.try("set labels", err)
	s.try("delete the container", container.Delete(s, containerd.WithSnapshotCleanup))

	store := s.client.ImageService()
	named, err := store.Create(s, images.Image{Name: "named", Target: image.Target(), Labels: map[string]string{"a": "b"}})
	s.must("create an image", err)
	named.Labels = map[string]string{"a": "c"}
	_, err = store.Update(s, named, "labels")
	s.try("update it", err)
	s.try("delete it", store.Delete(s, "named"))
	s.try("publish", service.Publish(s, "/own/topic", &eventtypes.ImageDelete{Name: "own"}))
	payload, err := typeurl.MarshalAny(&eventtypes.ImageDelete{Name: "forwarded"})
	s.must("make a payload", err)
	s.try("forward", service.Forward(s, &events.Envelope{
		Timestamp: time.Now(), Namespace: s.namespace, Topic: "/own/forwarded", Event: protobuf.FromAny(payload),
	}))
	for _, topic := range []string{"", "no-slash", "/", "/a//b", "/with space"} {
		s.try("publish to "+topic, service.Publish(s, topic, &eventtypes.ImageDelete{Name: "x"}))
	}
	s.try("publish the last", service.Publish(s, "/last", &eventtypes.ImageDelete{Name: "last"}))
	s.is("the last came", s.eventually(func() bool { return all.has("/last") }))
	s.told("all", all)
	s.told("ends of tasks", exits)
	s.told("of one container", byID)
}
