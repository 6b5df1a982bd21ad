package main

import (
	"bytes"
	"context"
	"sort"
	"time"

	"github.com/containerd/containerd/content"
	"github.com/containerd/containerd/leases"
	"github.com/containerd/containerd/snapshots"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

func leasesScenario(s *story) {
	manager := s.client.LeasesService()
	list := func(what string, filters ...string) {
		found, err := manager.List(s, filters...)
		sort.Slice(found, func(i, j int) bool { return found[i].ID < found[j].ID })
		var all []any
		for _, lease := range found {
			var names []string
			for name := range lease.Labels {
				names = append(names, name)
			}
			sort.Strings(names)
			all = append(all, []any{lease.ID, names})
		}
		got(s, what, all, err)
	}
	before := time.Now()
	lease, err := manager.Create(s, leases.WithID("one"), leases.WithLabels(map[string]string{"color": "red"}))
	s.must("create", err)
	s.is("created", []any{lease.ID, lease.Labels})
	s.between("created in the time of the call", before, lease.CreatedAt)
	_, err = manager.Create(s, leases.WithID("one"))
	s.try("create again", err)
	unnamed, err := manager.Create(s, leases.WithID(""))
	if s.try("create without an id", err) {
		s.try("delete it", manager.Delete(s, unnamed))
	}
	random, err := manager.Create(s, leases.WithRandomID(), leases.WithExpiration(time.Hour))
	s.must("create with a random id", err)
	s.is("random id", random.ID != "")
	s.try("delete it", manager.Delete(s, random))
	_, err = manager.Create(s, leases.WithID("two"), leases.WithExpiration(time.Hour))
	s.must("create with an end", err)
	list("list")
	list("list by id", "id==one")
	list("list by label", "labels.color==red")
	list("list by a filter that is none", "labels.color=")

	resources := func(what string, of leases.Lease) {
		found, err := manager.ListResources(s, of)
		sort.Slice(found, func(i, j int) bool { return found[i].Type+found[i].ID < found[j].Type+found[j].ID })
		got(s, what, found, err)
	}
	for _, resource := range []leases.Resource{
		{Type: "content", ID: digest.FromString("x").String()}, {Type: "content", ID: "no digest"},
		{Type: "ingests", ID: "some ref"}, {Type: "snapshots/overlayfs", ID: "some snapshot"},
		{Type: "snapshots/missing", ID: "some snapshot"}, {Type: "snapshots", ID: "some snapshot"},
		{Type: "snapshots/overlayfs/type1", ID: "some snapshot"}, {Type: "images", ID: "some image"}, {Type: "", ID: ""},
	} {
		s.try("add "+resource.Type+" "+resource.ID, manager.AddResource(s, lease, resource))
	}
	resources("resources", lease)
	s.try("remove a resource", manager.DeleteResource(s, lease, leases.Resource{Type: "ingests", ID: "some ref"}))
	s.try("remove it again", manager.DeleteResource(s, lease, leases.Resource{Type: "ingests", ID: "some ref"}))
	s.try("remove one of a type that there is not", manager.DeleteResource(s, lease, leases.Resource{Type: "images", ID: "x"}))
	resources("resources that are left", lease)
	resources("resources of what is missing", leases.Lease{ID: "missing"})
	s.try("add to what is missing", manager.AddResource(s, leases.Lease{ID: "missing"}, leases.Resource{Type: "ingests", ID: "x"}))

	write := func(what string, ctx context.Context, text string) ocispec.Descriptor {
		of := ocispec.Descriptor{Digest: digest.FromString(text), Size: int64(len(text))}
		s.try(what, content.WriteBlob(ctx, s.client.ContentStore(), text, bytes.NewReader([]byte(text)), of))
		return of
	}
	with := leases.WithLease(s, "two")
	write("write with a lease", with, "held")
	write("write without one", s, "loose")
	write("write with one that is missing", leases.WithLease(s, "missing"), "lost")
	_, err = s.client.SnapshotService("overlayfs").Prepare(with, "held", "")
	s.try("prepare with a lease", err)
	_, err = s.client.SnapshotService("overlayfs").Prepare(s, "loose", "")
	s.try("prepare without one", err)
	_, err = s.client.SnapshotService("overlayfs").Prepare(s, "own", "",
		snapshots.WithLabels(map[string]string{"containerd.io/gc.root": "x"}))
	s.try("prepare what stays", err)
	resources("resources of the second", leases.Lease{ID: "two"})
	s.try("delete the first and collect", manager.Delete(s, lease, leases.SynchronousDelete))
	s.blobs("content that is left")
	s.trees("snapshots that are left")
	s.try("delete the second and collect", manager.Delete(s, leases.Lease{ID: "two"}, leases.SynchronousDelete))
	s.blobs("content in the end")
	s.trees("snapshots in the end")
	s.try("delete what is missing", manager.Delete(s, leases.Lease{ID: "missing"}))
	list("leases in the end")

	own, done, err := s.client.WithLease(s, leases.WithExpiration(time.Minute))
	s.must("take a lease for a while", err)
	id, has := leases.FromContext(own)
	s.is("the context has it", has && id != "")
	write("write under it", own, "for a while")
	s.try("give it back", done(s))
	list("leases at last")
	s.try("remove the snapshot", s.client.SnapshotService("overlayfs").Remove(s, "own"))
}
