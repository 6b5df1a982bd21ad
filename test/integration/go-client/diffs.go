package main

import (
	"archive/tar"
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"sort"

	"github.com/containerd/containerd/archive/compression"
	"github.com/containerd/containerd/content"
	"github.com/containerd/containerd/diff"
	"github.com/containerd/containerd/mount"
	"github.com/containerd/containerd/rootfs"
	"github.com/containerd/containerd/snapshots"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

func writeIn(ctx context.Context, mounts []mount.Mount, name, text string) error {
	return mount.WithTempMount(ctx, mounts, func(root string) error {
		return os.WriteFile(filepath.Join(root, name), []byte(text), 0o640)
	})
}

// entries are names, types and sizes of an archive, compressed or not, sorted.
func entries(data []byte) (any, error) {
	reader, err := compression.DecompressStream(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	var all [][3]any
	archive := tar.NewReader(reader)
	for {
		header, err := archive.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		all = append(all, [3]any{header.Name, string(header.Typeflag), header.Size})
	}
	sort.Slice(all, func(i, j int) bool { return all[i][0].(string) < all[j][0].(string) })
	return all, nil
}

func diffs(s *story) {
	defer s.hold()()
	store := s.client.SnapshotService("overlayfs")
	service := s.client.DiffService()
	root := snapshots.WithLabels(map[string]string{"containerd.io/gc.root": "x"})
	lower, err := store.Prepare(s, "lower-active", "", root)
	s.must("prepare", err)
	s.must("write", writeIn(s, lower, "kept", "1"))
	s.must("write more", writeIn(s, lower, "gone", "2"))
	s.must("commit", store.Commit(s, "lower", "lower-active", root))
	upper, err := store.Prepare(s, "upper", "lower", root)
	s.must("prepare above", err)
	s.must("change", mount.WithTempMount(s, upper, func(path string) error {
		if err := os.Remove(filepath.Join(path, "gone")); err != nil {
			return err
		}
		if err := os.Mkdir(filepath.Join(path, "new"), 0o711); err != nil {
			return err
		}
		if err := os.Symlink("../kept", filepath.Join(path, "new/link")); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(path, "new/file"), bytes.Repeat([]byte("z"), 70_000), 0o600)
	}))

	show := func(what string, of ocispec.Descriptor, err error) {
		if err != nil {
			s.try(what, err)
			return
		}
		info, err := s.client.ContentStore().Info(s, of.Digest)
		s.must(what+": info", err)
		var labels []string
		for name := range info.Labels {
			labels = append(labels, name)
		}
		sort.Strings(labels)
		data, err := content.ReadBlob(s, s.client.ContentStore(), of)
		s.must(what+": read", err)
		inside, err := entries(data)
		got(s, what, []any{of.MediaType, of.Annotations, labels, int64(len(data)) == of.Size, inside}, err)
	}
	keep := diff.WithLabels(map[string]string{"containerd.io/gc.root": "x"})
	made, err := rootfs.CreateDiff(s, "upper", store, service, keep)
	show("diff of a snapshot", made, err)
	views, err := store.View(s, "lower-view", "lower", root)
	s.must("view the lower one", err)
	uppers, err := store.Mounts(s, "upper")
	s.must("mounts of the upper one", err)
	for _, media := range []string{
		"application/vnd.oci.image.layer.v1.tar", "application/vnd.oci.image.layer.v1.tar+gzip",
		"application/vnd.docker.image.rootfs.diff.tar.gzip", "application/vnd.oci.image.layer.v1.tar+zstd", "text/plain",
	} {
		made, err := service.Compare(s, views, uppers, diff.WithMediaType(media), keep, diff.WithReference("ref-"+digest.FromString(media).Encoded()))
		show("compare to "+media, made, err)
	}
	none, err := service.Compare(s, nil, views, keep)
	show("compare with nothing", none, err)
	_, err = service.Compare(s, views, []mount.Mount{{Type: "bind", Source: filepath.Join(s.directory, "missing")}})
	s.is("compare with a directory that is missing fails", err != nil)

	target, err := store.Prepare(s, "applied", "lower", root)
	s.must("prepare what is applied to", err)
	applied, err := service.Apply(s, made, target)
	got(s, "apply", []any{applied.MediaType, applied.Digest != ""}, err)
	s.try("look at what was applied", mount.WithTempMount(s, target, func(path string) error {
		found := []string{}
		err := filepath.Walk(path, func(name string, info os.FileInfo, err error) error {
			relative, _ := filepath.Rel(path, name)
			found = append(found, relative+" "+info.Mode().String())
			return err
		})
		s.is("what was applied", found)
		return err
	}))
	missing := made
	missing.Digest = digest.FromString("missing")
	_, err = service.Apply(s, missing, target)
	s.try("apply what is missing", err)
	text := []byte("no archive")
	wrong := ocispec.Descriptor{MediaType: made.MediaType, Digest: digest.FromBytes(text), Size: int64(len(text))}
	s.must("write a blob that is no archive", content.WriteBlob(s, s.client.ContentStore(), "wrong", bytes.NewReader(text), wrong,
		content.WithLabels(map[string]string{"containerd.io/gc.root": "x"})))
	_, err = service.Apply(s, wrong, target)
	s.is("apply what is no archive fails", err != nil)
	odd := made
	odd.MediaType = "text/plain"
	_, err = service.Apply(s, odd, target)
	s.try("apply what has another media type", err)

	layers := []rootfs.Layer{{Diff: ocispec.Descriptor{MediaType: "application/vnd.oci.image.layer.v1.tar", Digest: applied.Digest}, Blob: made}}
	chain, err := rootfs.ApplyLayers(s, layers, store, service)
	got(s, "apply layers", chain == applied.Digest, err)
	s.try("remove it", store.Remove(s, chain.String()))
}
