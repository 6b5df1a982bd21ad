package main

import (
	"context"
	"encoding/json"
	"sort"
	"time"

	"github.com/containerd/containerd"
	"github.com/containerd/containerd/containers"
	"github.com/containerd/containerd/oci"
	"github.com/containerd/containerd/runtime/v2/runc/options"
	"github.com/opencontainers/runtime-spec/specs-go"
)

func containersScenario(s *story) {
	defer s.hold()()
	image := s.pulled()
	show := func(what string, of containers.Container) {
		value := map[string]any{
			"id": of.ID, "image": of.Image, "labels": of.Labels, "runtime": of.Runtime.Name, "snapshotter": of.Snapshotter,
			"snapshot": of.SnapshotKey, "sandbox": of.SandboxID,
		}
		if of.Runtime.Options != nil {
			value["options"] = of.Runtime.Options.GetTypeUrl()
		}
		if of.Spec != nil {
			value["spec"] = of.Spec.GetTypeUrl()
		}
		var extensions []string
		for name, extension := range of.Extensions {
			extensions = append(extensions, name+" "+extension.GetTypeUrl())
		}
		sort.Strings(extensions)
		value["extensions"] = extensions
		s.is(what, value)
	}
	spec := func(what string, of containerd.Container) {
		found, err := of.Spec(s)
		if err != nil {
			s.try(what, err)
			return
		}
		text, err := json.Marshal(found)
		s.must(what+" as JSON", err)
		s.is(what, s.hidden(string(text)))
	}

	before := time.Now()
	full, err := s.client.NewContainer(s, "full",
		containerd.WithImage(image),
		containerd.WithSnapshotter("overlayfs"),
		containerd.WithNewSnapshot("full-snapshot", image),
		containerd.WithContainerLabels(map[string]string{"color": "red"}),
		containerd.WithImageConfigLabels(image),
		containerd.WithAdditionalContainerLabels(map[string]string{"more": "yes"}),
		containerd.WithImageStopSignal(image, "SIGTERM"),
		containerd.WithContainerExtension("example", &specs.LinuxResources{}),
		containerd.WithRuntime("io.containerd.runc.v2", &options.Options{NoPivotRoot: false, SystemdCgroup: false}),
		containerd.WithNewSpec(
			oci.WithImageConfigArgs(image, []string{"echo", "hello"}),
			oci.WithEnv([]string{"ONE=1", "PATH"}),
			oci.WithHostname("full"),
			oci.WithUser("user:users"),
			oci.WithAdditionalGIDs("user"),
			oci.WithAppendAdditionalGroups("extra"),
			oci.WithProcessCwd("/tmp"),
			oci.WithMounts([]specs.Mount{{Type: "tmpfs", Source: "tmpfs", Destination: "/scratch"}}),
			oci.WithMemoryLimit(64<<20),
			oci.WithCPUShares(100),
			oci.WithCPUCFS(50_000, 100_000),
			oci.WithPidsLimit(100),
			oci.WithAddedCapabilities([]string{"CAP_NET_ADMIN"}),
			oci.WithDroppedCapabilities([]string{"CAP_SYS_CHROOT"}),
			oci.WithRootFSReadonly(),
			oci.WithNoNewPrivileges,
			oci.WithAnnotations(map[string]string{"note": "x"}),
			oci.WithDevShmSize(1024),
		),
	)
	s.must("create with everything", err)
	info, err := full.Info(s)
	s.must("info", err)
	show("what was created", info)
	s.between("created in the time of the call", before, info.CreatedAt)
	s.is("created and updated at once", info.CreatedAt.Equal(info.UpdatedAt))
	spec("spec", full)
	_, err = s.client.NewContainer(s, "full")
	s.try("create again", err)
	_, err = s.client.NewContainer(s, "other", containerd.WithImage(image), containerd.WithNewSnapshot("full-snapshot", image),
		containerd.WithNewSpec())
	s.try("create on a snapshot that is there", err)
	for _, id := range []string{"", "with space", "a/b", "-x"} {
		_, err = s.client.NewContainer(s, id, containerd.WithNewSpec())
		s.try("create "+id, err)
	}
	_, err = s.client.NewContainer(s, "no-runtime", containerd.WithRuntime("", nil), containerd.WithNewSpec())
	s.try("create without a runtime", err)
	_, err = s.client.NewContainer(s, "no-spec")
	s.try("create without a spec", err)
	_, err = s.client.NewContainer(s, "long-label",
		containerd.WithNewSpec(), containerd.WithContainerLabels(map[string]string{"x": string(make([]byte, 5000))}))
	s.try("create with a label that is too long", err)
	view, err := s.client.NewContainer(s, "view", containerd.WithImage(image), containerd.WithNewSnapshotView("view", image),
		containerd.WithNewSpec(oci.WithImageConfig(image), oci.WithUsername("user")))
	s.must("create on a view", err)
	spec("spec of the one on a view", view)
	_, err = s.client.NewContainer(s, "nobody", containerd.WithImage(image), containerd.WithNewSnapshot("nobody", image),
		containerd.WithNewSpec(oci.WithImageConfig(image), oci.WithUsername("nobody-knows")))
	s.is("create for a user that is not known fails", err != nil)
	remapped, err := s.client.NewContainer(s, "remapped", containerd.WithImage(image),
		containerd.WithRemappedSnapshot("remapped", image, 1000, 1000), containerd.WithNewSpec(oci.WithImageConfig(image)))
	if s.try("create with other users", err) {
		s.try("delete it", remapped.Delete(s, containerd.WithSnapshotCleanup))
	}

	labels, err := full.SetLabels(s, map[string]string{"color": "blue", "new": "yes"})
	got(s, "set labels", labels, err)
	labels, err = full.Labels(s)
	got(s, "labels", labels, err)
	extensions, err := full.Extensions(s)
	got(s, "number of extensions", len(extensions), err)
	found, err := full.Image(s)
	if s.try("image", err) {
		s.is("name of the image", found.Name())
	}
	update := func(what string, with containerd.UpdateContainerOpts) {
		before := time.Now()
		if !s.try(what, full.Update(s, with)) {
			return
		}
		info, err := full.Info(s)
		s.must(what+": info", err)
		show(what+": what it is now", info)
		s.between(what+": is the time of the update", before, info.UpdatedAt)
	}
	update("update the labels", func(_ context.Context, _ *containerd.Client, c *containers.Container) error {
		c.Labels = map[string]string{"only": "this"}
		return nil
	})
	update("update the snapshot", func(_ context.Context, _ *containerd.Client, c *containers.Container) error {
		c.SnapshotKey = "other"
		return nil
	})
	update("update the runtime", func(_ context.Context, _ *containerd.Client, c *containers.Container) error {
		c.Runtime.Name = "other"
		return nil
	})
	update("update the image", func(_ context.Context, _ *containerd.Client, c *containers.Container) error {
		c.Image = "other"
		return nil
	})
	store := s.client.ContainerService()
	for _, path := range []string{"labels", "labels.only", "spec", "extensions", "extensions.example", "image", "snapshot_key", "runtime", "id", "missing"} {
		changed, err := store.Update(s, containers.Container{ID: "full", Labels: map[string]string{"only": "that"}, Spec: info.Spec}, path)
		if s.try("update path "+path, err) {
			show("what path "+path+" came to", changed)
		}
	}
	_, err = store.Update(s, containers.Container{ID: "missing"}, "labels")
	s.try("update what is missing", err)

	list := func(what string, filters ...string) {
		found, err := s.client.Containers(s, filters...)
		var ids []string
		for _, one := range found {
			ids = append(ids, one.ID())
		}
		sort.Strings(ids)
		got(s, what, ids, err)
	}
	list("list")
	for _, filter := range []string{"id==full", "labels.only==that", "image~=busybox", "runtime.name==io.containerd.runc.v2", "snapshotter==overlayfs", "snapshotkey==view", "id="} {
		list("list "+filter, filter)
	}
	loaded, err := s.client.LoadContainer(s, "full")
	if s.try("load", err) {
		_, err = loaded.Task(s, nil)
		s.try("its task", err)
	}
	_, err = s.client.LoadContainer(s, "missing")
	s.try("load what is missing", err)
	s.trees("snapshots", "kind==active")
	s.try("set the snapshot back", full.Update(s, func(_ context.Context, _ *containerd.Client, c *containers.Container) error {
		c.SnapshotKey = "full-snapshot"
		return nil
	}))
	all, err := s.client.Containers(s)
	s.must("list what is left", err)
	sort.Slice(all, func(i, j int) bool { return all[i].ID() < all[j].ID() })
	for _, one := range all {
		s.try("delete "+one.ID(), one.Delete(s, containerd.WithSnapshotCleanup))
	}
	s.try("delete again", full.Delete(s))
	list("list in the end")
}
