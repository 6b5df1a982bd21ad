package main

import (
	"bytes"
	"sort"

	"github.com/containerd/containerd"
	"github.com/containerd/containerd/content"
	"github.com/containerd/containerd/images"
	"github.com/containerd/containerd/images/archive"
	"github.com/containerd/containerd/namespaces"
	"github.com/containerd/platforms"
	"github.com/opencontainers/go-digest"
)

// sharing pulls an image in a namespace after another has unpacked it.
func sharing(s *story) {
	first := s.Context
	s.pulled()
	s.Context = namespaces.WithNamespace(first, s.namespace+"-second")
	defer func() {
		s.try("delete the second namespace", s.client.NamespaceService().Delete(first, s.namespace+"-second"))
	}()
	image := s.pulled()
	unpacked, err := image.IsUnpacked(s, "overlayfs")
	got(s, "is unpacked in the second namespace", unpacked, err)
	look := func(what string) {
		var digests []string
		err := s.client.ContentStore().Walk(s, func(info content.Info) error {
			digests = append(digests, info.Digest.String())
			return nil
		})
		sort.Strings(digests)
		got(s, "content"+what, digests, err)
		var out bytes.Buffer
		err = s.client.Export(s, &out, archive.WithImage(s.client.ImageService(), image.Name()),
			archive.WithPlatform(platforms.Default()))
		got(s, "export"+what, []any{digest.FromBytes(out.Bytes()), out.Len()}, err)
	}
	look("")
	s.try("delete in the first namespace", s.client.ImageService().Delete(first, image.Name(), images.SynchronousDelete()))
	look(" after the first has deleted it")
	s.try("unpack again", containerd.NewImage(s.client, image.Metadata()).Unpack(s, "overlayfs"))
	s.try("delete in the second namespace", s.client.ImageService().Delete(s, image.Name(), images.SynchronousDelete()))
	s.blobs("content that is left")
	s.trees("snapshots that are left")
}
