package main

import (
	"sort"
	"strings"
	"time"

	"github.com/containerd/containerd/mount"
	"github.com/containerd/containerd/snapshots"
)

// shapes are mounts without what differs between two roots.
func shapes(mounts []mount.Mount) any {
	var all []any
	for _, one := range mounts {
		var options []string
		for _, option := range one.Options {
			name, value, _ := strings.Cut(option, "=")
			if name == "lowerdir" {
				name = name + strings.Repeat(" DIRECTORY", strings.Count(value, ":")+1)
			}
			options = append(options, name)
		}
		sort.Strings(options)
		all = append(all, []any{one.Type, one.Target, options})
	}
	return all
}

func snapshotsScenario(s *story) {
	defer s.hold()()
	store := s.client.SnapshotService("overlayfs")
	root := snapshots.WithLabels(map[string]string{"containerd.io/gc.root": "x", "color": "red"})

	before := time.Now()
	mounts, err := store.Prepare(s, "first", "", root)
	got(s, "prepare without a parent", shapes(mounts), err)
	again, err := store.Mounts(s, "first")
	got(s, "mounts", shapes(again), err)
	info, err := store.Stat(s, "first")
	got(s, "stat", []any{info.Name, info.Parent, info.Kind.String(), info.Labels}, err)
	s.between("created in the time of the call", before, info.Created)
	_, err = store.Prepare(s, "first", "")
	s.try("prepare again", err)
	_, err = store.Prepare(s, "", "")
	s.try("prepare without a name", err)
	_, err = store.Prepare(s, "orphan", "missing")
	s.try("prepare on a parent that is missing", err)
	_, err = store.Prepare(s, "second", "first")
	s.try("prepare on one that is not committed", err)
	s.try("write into it", writeIn(s, mounts, "hello", "first"))
	usage, err := store.Usage(s, "first")
	got(s, "usage of the active one", usage.Inodes, err)
	s.is("usage has a size", usage.Size > 0)
	s.must("commit", store.Commit(s, "base", "first", root))
	info, err = store.Stat(s, "base")
	got(s, "stat what was committed", []any{info.Name, info.Parent, info.Kind.String(), info.Labels}, err)
	_, err = store.Stat(s, "first")
	s.try("stat what was active", err)
	_, err = store.Mounts(s, "base")
	s.try("mounts of what was committed", err)

	mounts, err = store.Prepare(s, "second", "base")
	got(s, "prepare on a parent", shapes(mounts), err)
	s.try("write into the second", writeIn(s, mounts, "world", "second"))
	s.try("commit under a name that is taken", store.Commit(s, "base", "second"))
	s.must("commit the second", store.Commit(s, "top", "second"))
	mounts, err = store.View(s, "view", "top", root)
	got(s, "view", shapes(mounts), err)
	s.try("commit a view", store.Commit(s, "viewed", "view"))
	mounts, err = store.View(s, "shallow", "base", root)
	got(s, "view of one", shapes(mounts), err)
	mounts, err = store.View(s, "empty", "", root)
	got(s, "view of nothing", shapes(mounts), err)
	mounts, err = store.Prepare(s, "third", "top", root)
	got(s, "prepare on two", shapes(mounts), err)
	s.try("commit what is missing", store.Commit(s, "x", "missing"))

	update := func(what string, info snapshots.Info, paths ...string) {
		found, err := store.Update(s, info, paths...)
		got(s, what, []any{found.Name, found.Parent, found.Kind.String(), found.Labels}, err)
	}
	update("update one label", snapshots.Info{Name: "base", Labels: map[string]string{"color": "green", "b": "c"}}, "labels.color")
	update("update labels", snapshots.Info{Name: "base", Labels: map[string]string{"containerd.io/gc.root": "x", "b": "c"}}, "labels")
	update("update what is missing", snapshots.Info{Name: "missing"})
	update("update a path that there is not", snapshots.Info{Name: "base"}, "name")
	s.trees("all")
	s.trees("by kind", "kind==active")
	s.trees("by parent", "parent==top")
	s.trees("by name", "name==base")
	s.trees("by label", "labels.b==c")
	s.trees("by two filters", "name==base", "name==top")

	s.try("remove a parent", store.Remove(s, "base"))
	s.try("remove what is missing", store.Remove(s, "missing"))
	for _, name := range []string{"view", "shallow", "empty", "third", "top", "base"} {
		s.try("remove "+name, store.Remove(s, name))
	}
	s.trees("what is left")
	if cleaner, is := store.(snapshots.Cleaner); is {
		s.try("clean up", cleaner.Cleanup(s))
	}
	_, err = s.client.SnapshotService("missing").Stat(s, "x")
	s.try("a snapshotter that is missing", err)
}
