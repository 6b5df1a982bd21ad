package main

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"sort"

	"github.com/containerd/containerd"
	"github.com/containerd/containerd/images"
	"github.com/containerd/containerd/images/archive"
	"github.com/containerd/platforms"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

func archives(s *story) {
	image := s.pulled()
	store := s.client.ImageService()
	export := func(what string, with ...archive.ExportOpt) []byte {
		var out bytes.Buffer
		err := s.client.Export(s, &out, with...)
		if err != nil {
			s.try(what, err)
			return nil
		}
		inside, err := entries(out.Bytes())
		got(s, what, []any{digest.FromBytes(out.Bytes()), out.Len(), inside}, err)
		return out.Bytes()
	}
	one := export("export for one platform", archive.WithImage(store, image.Name()), archive.WithPlatform(platforms.Default()))
	export("export without Docker's manifest", archive.WithImage(store, image.Name()), archive.WithPlatform(platforms.Default()),
		archive.WithSkipDockerManifest())
	export("export what is not all there", archive.WithImage(store, image.Name()), archive.WithAllPlatforms())
	export("export what is there", archive.WithImage(store, image.Name()), archive.WithAllPlatforms(),
		archive.WithSkipMissing(s.client.ContentStore()))
	export("export what is missing", archive.WithImage(store, "missing"))
	_, err := s.client.Fetch(s, s.image(), containerd.WithPlatformMatcher(platforms.All))
	s.must("fetch all platforms", err)
	all := export("export for all platforms", archive.WithImage(store, image.Name()), archive.WithAllPlatforms())
	export("export a manifest under two names", archive.WithManifest(image.Target(), "example.com/a:1", "example.com/b:2"))
	s.try("delete the image", store.Delete(s, image.Name(), images.SynchronousDelete()))

	imported := func(what string, data []byte, with ...containerd.ImportOpt) {
		found, err := s.client.Import(s, bytes.NewReader(data), with...)
		sort.Slice(found, func(i, j int) bool { return found[i].Name < found[j].Name })
		var all []any
		for _, one := range found {
			all = append(all, target(one))
		}
		got(s, what, all, err)
		for _, one := range found {
			if what == "import" {
				unpacked := containerd.NewImage(s.client, one)
				s.try("unpack", unpacked.Unpack(s, "overlayfs"))
				found, err := unpacked.RootFS(s)
				got(s, "its layers", found, err)
			}
			s.try("delete "+one.Name, store.Delete(s, one.Name, images.SynchronousDelete()))
		}
		s.blobs(what + ": content that is left")
	}
	imported("import", one)
	imported("import for all platforms", all, containerd.WithAllPlatforms(true))
	imported("import under a prefix", one, containerd.WithImageRefTranslator(archive.AddRefPrefix("example.com/prefix")))
	imported("import with an index", one, containerd.WithIndexName("example.com/index:1"))
	imported("import with digests", one, containerd.WithDigestRef(archive.DigestTranslator("example.com/digests")))
	imported("import for a platform that is missing", one, containerd.WithImportPlatform(platforms.OnlyStrict(ocispec.Platform{OS: "linux", Architecture: "s390x"})))
	imported("import what is no archive", []byte("no archive"))
	imported("import nothing", nil)
	imported("import half of it", one[:len(one)/2])
	imported("import without what is missing", without(s, one), containerd.WithSkipMissing())
	imported("import with what is missing", without(s, one))
}

// without is an archive without its biggest blob.
func without(s *story, data []byte) []byte {
	var biggest int64
	each(s, data, func(header *tar.Header, _ []byte) { biggest = max(biggest, header.Size) })
	var out bytes.Buffer
	writer := tar.NewWriter(&out)
	each(s, data, func(header *tar.Header, content []byte) {
		if header.Size == biggest {
			return
		}
		err := writer.WriteHeader(header)
		if err == nil {
			_, err = writer.Write(content)
		}
		if err != nil {
			s.must("copy an archive", err)
		}
	})
	s.must("end the archive", writer.Close())
	return out.Bytes()
}

func each(s *story, data []byte, see func(*tar.Header, []byte)) {
	reader := tar.NewReader(bytes.NewReader(data))
	for {
		header, err := reader.Next()
		if err == io.EOF {
			return
		}
		content, failure := io.ReadAll(reader)
		if err := errors.Join(err, failure); err != nil {
			s.must("read an archive", err)
		}
		see(header, content)
	}
}
