package main

import (
	"bytes"
	"io"
	"sort"

	"github.com/containerd/containerd"
	"github.com/containerd/containerd/images"
	"github.com/containerd/containerd/pkg/transfer"
	"github.com/containerd/containerd/pkg/transfer/archive"
	"github.com/containerd/containerd/pkg/transfer/image"
	"github.com/containerd/containerd/pkg/transfer/registry"
	"github.com/containerd/platforms"
	"github.com/opencontainers/go-digest"
)

// closer is a buffer whose end can be waited for, as a stream ends after its transfer.
type closer struct {
	bytes.Buffer
	closed chan struct{}
}

func (c *closer) Close() error {
	close(c.closed)
	return nil
}

func transfers(s *story) {
	store := s.client.ImageService()
	move := func(what string, from, to any) bool {
		said := map[string]bool{}
		err := s.client.Transfer(s, from, to, transfer.WithProgress(func(progress transfer.Progress) {
			s.mutex.Lock()
			defer s.mutex.Unlock()
			said[progress.Event] = true
		}))
		s.try(what, err)
		s.mutex.Lock()
		var events []string
		for event := range said {
			events = append(events, event)
		}
		s.mutex.Unlock()
		sort.Strings(events)
		if err == nil {
			s.is(what+": events of its progress", events)
		}
		return err == nil
	}
	list := func(what string) {
		found, err := store.List(s)
		sort.Slice(found, func(i, j int) bool { return found[i].Name < found[j].Name })
		var all []any
		for _, one := range found {
			all = append(all, target(one))
		}
		got(s, what, all, err)
	}
	platform := platforms.DefaultSpec()

	// containerd 1.7 takes no registry without TLS for a transfer.
	s.pulled()
	from := func(name string) *registry.OCIRegistry { return registry.NewOCIRegistry(name, nil, nil) }
	move("push what is missing", image.NewStore("missing"), from(s.registry+"/"+s.namespace+"-transfer:two"))

	move("tag", image.NewStore(s.image()), image.NewStore("example.com/tagged:1"))
	move("tag what is missing", image.NewStore("missing"), image.NewStore("example.com/tagged:2"))
	list("what was tagged")

	export := func(what string, from *image.Store, with ...archive.ExportOpt) []byte {
		out := &closer{closed: make(chan struct{})}
		if !move(what, from, archive.NewImageExportStream(out, "application/x-tar", with...)) {
			return nil
		}
		<-out.closed
		inside, err := entries(out.Bytes())
		got(s, what+": what is in it", []any{digest.FromBytes(out.Bytes()), inside}, err)
		return out.Bytes()
	}
	export("export", image.NewStore(s.image()), archive.WithPlatform(platform))
	_, err := s.client.Fetch(s, s.image(), containerd.WithPlatformMatcher(platforms.All))
	s.must("fetch all platforms", err)
	data := export("export for all platforms", image.NewStore(s.image()), archive.WithAllPlatforms)
	export("export without Docker's manifest", image.NewStore(s.image()), archive.WithPlatform(platform),
		archive.WithSkipCompatibilityManifest)
	export("export by an extra reference", image.NewStore("", image.WithExtraReference(s.image())), archive.WithPlatform(platform))
	export("export what is missing", image.NewStore("missing"))

	names := func() {
		found, err := store.List(s)
		s.must("list", err)
		for _, one := range found {
			s.try("delete", store.Delete(s, one.Name, images.SynchronousDelete()))
		}
	}
	names()
	imported := func(what string, data []byte, to *image.Store) {
		move(what, archive.NewImageImportStream(bytes.NewReader(data), ""), to)
		list(what + ": what it made")
		names()
	}
	imported("import", data, image.NewStore(""))
	imported("import under a name", data, image.NewStore("example.com/index:1"))
	imported("import under a prefix", data, image.NewStore("", image.WithNamedPrefix(s.registry, false)))
	imported("import under another prefix", data, image.NewStore("", image.WithNamedPrefix("example.com/other", true)))
	imported("import under digests", data, image.NewStore("", image.WithDigestRef("example.com/digest", false, false)))
	imported("import under digests alone", data, image.NewStore("", image.WithDigestRef("example.com/digest", true, true)))
	imported("import and unpack", data, image.NewStore("unpacked", image.WithUnpack(platform, "overlayfs")))
	imported("import what is no archive", []byte("no archive at all"), image.NewStore("none"))
	imported("import nothing", nil, image.NewStore("none"))

	for _, size := range []int{0, 11, 200_000} {
		out := &closer{closed: make(chan struct{})}
		text := bytes.Repeat([]byte("x"), size)
		err := s.client.Transfer(s, archive.NewImageImportStream(bytes.NewReader(text), "application/octet-stream"),
			archive.NewImageExportStream(out, "application/octet-stream"))
		if s.try("echo", err) {
			<-out.closed
			back, err := io.ReadAll(&out.Buffer)
			got(s, "what came back", bytes.Equal(back, text), err)
		}
	}
	move("from a registry to a registry", from(s.image()), from(s.registry+"/"+s.namespace+"-transfer:three"))
}
