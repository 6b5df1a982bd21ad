package main

import (
	"context"
	"encoding/json"
	"sort"
	"time"

	"github.com/containerd/containerd"
	"github.com/containerd/containerd/content"
	"github.com/containerd/containerd/images"
	"github.com/containerd/containerd/snapshots"
	"github.com/containerd/platforms"
	"github.com/opencontainers/image-spec/identity"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// blobs are digests, sizes and labels of all content, sorted.
func (s *story) blobs(what string, filters ...string) {
	var found []any
	var names []string
	by := map[string]any{}
	err := s.client.ContentStore().Walk(s, func(info content.Info) error {
		names = append(names, info.Digest.String())
		by[info.Digest.String()] = map[string]any{"digest": info.Digest, "size": info.Size, "labels": info.Labels}
		return nil
	}, filters...)
	sort.Strings(names)
	for _, name := range names {
		found = append(found, by[name])
	}
	got(s, what, found, err)
}

// trees are the snapshots of the default snapshotter, sorted.
func (s *story) trees(what string, filters ...string) {
	var found []any
	var names []string
	by := map[string]any{}
	err := s.client.SnapshotService("").Walk(s, func(_ context.Context, info snapshots.Info) error {
		names = append(names, info.Name)
		by[info.Name] = map[string]any{
			"name": info.Name, "parent": info.Parent, "kind": info.Kind.String(), "labels": info.Labels,
		}
		return nil
	}, filters...)
	sort.Strings(names)
	for _, name := range names {
		found = append(found, by[name])
	}
	got(s, what, found, err)
}

func pull(s *story) {
	before := time.Now()
	var handled []string
	image, err := s.client.Pull(s, s.image(),
		containerd.WithPullUnpack,
		containerd.WithPullLabels(map[string]string{"one": "1", "two": "2"}),
		containerd.WithMaxConcurrentDownloads(2),
		containerd.WithImageHandler(images.HandlerFunc(func(_ context.Context, of ocispec.Descriptor) ([]ocispec.Descriptor, error) {
			s.mutex.Lock()
			defer s.mutex.Unlock()
			handled = append(handled, string(of.Digest))
			return nil, nil
		})),
	)
	s.must("pull with labels and unpack", err)
	sort.Strings(handled)
	s.is("digests that a handler saw", handled)
	s.is("image", target(image.Metadata()))
	s.between("created in the time of the call", before, image.Metadata().CreatedAt)
	s.is("updated not before created", !image.Metadata().UpdatedAt.Before(image.Metadata().CreatedAt))
	unpacked, err := image.IsUnpacked(s, "overlayfs")
	got(s, "is unpacked", unpacked, err)
	size, err := image.Size(s)
	got(s, "size", size, err)
	usage, err := image.Usage(s, containerd.WithManifestUsage())
	got(s, "usage of the manifest", usage, err)
	whole, err := image.Usage(s, containerd.WithSnapshotUsage())
	got(s, "usage with snapshots is more", whole > size, err)
	diffs, err := image.RootFS(s)
	got(s, "root filesystem", diffs, err)
	config, err := image.Config(s)
	got(s, "config", config, err)
	spec, err := image.Spec(s)
	got(s, "spec", spec, err)
	raw, err := content.ReadBlob(s, image.ContentStore(), config)
	s.must("read the config", err)
	var document map[string]any
	s.try("parse the config", json.Unmarshal(raw, &document))
	s.blobs("content")
	s.trees("snapshots")
	_, err = s.client.SnapshotService("").Stat(s, identity.ChainID(diffs).String())
	s.try("stat the top snapshot", err)

	again, err := s.client.Pull(s, s.image(), containerd.WithPullUnpack)
	s.must("pull again", err)
	s.is("image of the second pull", target(again.Metadata()))
	s.is("created is kept", again.Metadata().CreatedAt.Equal(image.Metadata().CreatedAt))

	byDigest := s.registry + "/busybox@" + image.Target().Digest.String()
	other, err := s.client.Pull(s, byDigest)
	s.must("pull by digest", err)
	s.is("image by digest", target(other.Metadata()))

	_, err = s.client.Pull(s, s.registry+"/busybox:missing")
	s.try("pull a tag that is missing", err)
	_, err = s.client.Pull(s, "no reference")
	s.try("pull by no reference", err)
	_, err = s.client.Pull(s, s.image(), containerd.WithPlatform("windows/amd64"))
	s.try("pull for a platform that is missing", err)
	_, err = s.client.Pull(s, s.image(), containerd.WithPullUnpack, containerd.WithPullSnapshotter("missing"))
	s.try("pull to a snapshotter that is missing", err)

	fetched, err := s.client.Fetch(s, s.image(), containerd.WithPlatform("linux/arm64"))
	s.must("fetch another platform", err)
	s.is("image fetched", target(fetched))
	s.blobs("content with the other platform")
	foreign := containerd.NewImageWithPlatform(s.client, fetched, platforms.OnlyStrict(platforms.MustParse("linux/arm64")))
	unpacked, err = foreign.IsUnpacked(s, "overlayfs")
	got(s, "other platform is unpacked", unpacked, err)
	s.try("unpack the other platform", foreign.Unpack(s, "overlayfs"))
	unpacked, err = foreign.IsUnpacked(s, "overlayfs")
	got(s, "other platform is unpacked now", unpacked, err)
	s.try("unpack the other platform again", foreign.Unpack(s, "overlayfs"))

	for _, name := range []string{s.image(), byDigest} {
		s.try("delete and wait for the collector", s.client.ImageService().Delete(s, name, images.SynchronousDelete()))
	}
	s.blobs("content that is left")
	s.trees("snapshots that are left")

	_, err = s.client.Pull(s, s.image(), containerd.WithPullUnpack,
		containerd.WithChildLabelMap(images.ChildGCLabelsFilterLayers))
	s.must("pull without keeping layers", err)
	s.try("touch and wait for the collector", s.client.ImageService().Delete(s, "missing", images.SynchronousDelete()))
	s.trees("snapshots without layers")
}
