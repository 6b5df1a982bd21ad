package main

import (
	"bytes"

	"github.com/containerd/containerd"
	"github.com/containerd/containerd/content"
	"github.com/containerd/containerd/images"
	"github.com/containerd/platforms"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

func push(s *story) {
	image := s.pulled()
	manifest, err := images.Manifest(s, image.ContentStore(), image.Target(), platforms.Default())
	s.must("read the manifest", err)
	_, err = s.client.Fetch(s, s.image(), containerd.WithAllMetadata(), containerd.WithPlatformMatcher(platforms.All))
	s.must("fetch all platforms", err)

	pushed := s.registry + "/" + s.namespace + ":one"
	s.try("push", s.client.Push(s, pushed, image.Target()))
	s.try("push again", s.client.Push(s, pushed, image.Target(), containerd.WithMaxConcurrentUploadedLayers(1)))
	fetched, err := s.client.Fetch(s, pushed, containerd.WithPlatformMatcher(platforms.All))
	s.must("fetch what was pushed", err)
	s.is("digest of what was pushed", fetched.Target)

	defer s.hold()()
	own := []byte(`{"made":"here"}`)
	layer := ocispec.Descriptor{
		MediaType: "application/vnd.oci.image.layer.v1.tar", Digest: digest.FromBytes(own), Size: int64(len(own)),
	}
	s.must("write a blob", content.WriteBlob(s, s.client.ContentStore(), "own", bytes.NewReader(own), layer))
	s.try("push a blob alone", s.client.Push(s, s.registry+"/"+s.namespace+":blob", layer))

	missing := layer
	missing.Digest = digest.FromString("missing")
	s.try("push what is not there", s.client.Push(s, s.registry+"/"+s.namespace+":two", missing))
	s.try("push one layer of the image", s.client.Push(s, s.registry+"/"+s.namespace+":three", manifest.Layers[0]))
}
