package main

import (
	"bytes"
	"io"
	"sort"
	"time"

	"github.com/containerd/containerd/content"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

func contentScenario(s *story) {
	defer s.hold()()
	store := s.client.ContentStore()
	data := bytes.Repeat([]byte("0123456789abcdef"), 64*1024)
	sum := digest.FromBytes(data)
	blob := ocispec.Descriptor{MediaType: "application/octet-stream", Digest: sum, Size: int64(len(data))}
	ingests := func(what string, filters ...string) {
		found, err := store.ListStatuses(s, filters...)
		sort.Slice(found, func(i, j int) bool { return found[i].Ref < found[j].Ref })
		var all []any
		for _, status := range found {
			all = append(all, map[string]any{"ref": status.Ref, "offset": status.Offset, "total": status.Total, "expected": status.Expected})
		}
		got(s, what, all, err)
	}

	before := time.Now()
	writer, err := store.Writer(s, content.WithRef("one"), content.WithDescriptor(blob))
	s.must("open a writer", err)
	n, err := writer.Write(data[:300_000])
	got(s, "write a part", n, err)
	status, err := writer.Status()
	s.must("status of the writer", err)
	s.is("ref and offset", []any{status.Ref, status.Offset})
	s.between("started in the time of the call", before, status.StartedAt)
	s.is("updated not before started", !status.UpdatedAt.Before(status.StartedAt))
	s.is("digest of the part", writer.Digest())
	ingests("ingests")
	ingests("ingests by a filter", "ref==one")
	ingests("ingests by another filter", "ref==two")
	_, err = store.Writer(s, content.WithRef("one"), content.WithDescriptor(blob))
	s.try("open a second writer of the same ref", err)
	s.must("close the writer", writer.Close())

	writer, err = content.OpenWriter(s, store, content.WithRef("one"), content.WithDescriptor(blob))
	s.must("resume", err)
	status, err = writer.Status()
	got(s, "offset of what is resumed", status.Offset, err)
	s.try("commit what is not whole", writer.Commit(s, blob.Size, sum))
	writer.Close()
	writer, err = content.OpenWriter(s, store, content.WithRef("one"), content.WithDescriptor(blob))
	s.must("resume after the commit that failed", err)
	s.try("copy the rest of it", content.Copy(s, writer, bytes.NewReader(data), blob.Size, sum,
		content.WithLabels(map[string]string{"color": "red", "containerd.io/gc.root": "x"})))
	writer.Close()
	ingests("ingests after the commit")

	_, err = store.Writer(s, content.WithRef("two"), content.WithDescriptor(blob))
	s.try("open a writer of what is there", err)
	writer, err = store.Writer(s, content.WithRef("truncated"))
	s.must("open a writer that is truncated", err)
	_, err = writer.Write(data[:100])
	s.must("write a hundred bytes", err)
	s.must("truncate", writer.Truncate(0))
	_, err = writer.Write([]byte("anew"))
	s.must("write anew", err)
	s.try("commit what was truncated", writer.Commit(s, 4, digest.FromString("anew")))
	writer.Close()
	writer, err = content.OpenWriter(s, store, content.WithRef("two"))
	s.must("open a writer without a digest", err)
	s.try("copy what is there", content.Copy(s, writer, bytes.NewReader(data), blob.Size, sum))
	writer.Close()
	writer, err = content.OpenWriter(s, store, content.WithRef("two"))
	if err == nil {
		_, err = writer.Write([]byte("short"))
		s.must("write it", err)
		s.try("commit with a wrong digest", writer.Commit(s, 5, sum))
		writer.Close()
	}
	writer, err = content.OpenWriter(s, store, content.WithRef("three"))
	s.must("open another", err)
	_, err = writer.Write([]byte("short"))
	s.must("write five bytes", err)
	s.try("commit with a wrong size", writer.Commit(s, 6, ""))
	writer.Close()
	writer, err = content.OpenWriter(s, store, content.WithRef("four"))
	s.must("open a fourth", err)
	_, err = writer.Write([]byte("short"))
	s.must("write five bytes again", err)
	s.try("abort while it is written to", store.Abort(s, "four"))
	writer.Close()
	s.try("abort what is gone", store.Abort(s, "four"))
	_, err = store.Status(s, "four")
	s.try("status of what is gone", err)
	_, err = store.Writer(s)
	s.try("open a writer without a ref", err)
	for _, ref := range []string{"one", "two", "three"} {
		s.try("abort "+ref, store.Abort(s, ref))
	}
	ingests("ingests that are left")

	info, err := store.Info(s, sum)
	got(s, "info", []any{info.Digest, info.Size, info.Labels}, err)
	s.between("created in the time of the calls", before, info.CreatedAt)
	reader, err := store.ReaderAt(s, blob)
	s.must("open a reader", err)
	s.is("size of the reader", reader.Size())
	part := make([]byte, 100)
	n, err = reader.ReadAt(part, 1000)
	got(s, "read in the middle", string(part[:n]), err)
	n, err = reader.ReadAt(part, blob.Size-10)
	s.is("read over the end", []any{n, err == io.EOF})
	n, err = reader.ReadAt(part, blob.Size)
	s.is("read at the end", []any{n, err == io.EOF})
	whole, err := io.ReadAll(content.NewReader(reader))
	got(s, "read all", digest.FromBytes(whole), err)
	s.try("close the reader", reader.Close())
	_, err = store.ReaderAt(s, ocispec.Descriptor{Digest: digest.FromString("missing"), Size: 7})
	s.try("read what is missing", err)
	_, err = store.Info(s, digest.FromString("missing"))
	s.try("info of what is missing", err)
	_, err = store.Info(s, "sha256:short")
	s.try("info of no digest", err)

	for _, size := range []int{0, 1, 4 << 20, 9 << 20} {
		text := bytes.Repeat([]byte{'x'}, size)
		of := ocispec.Descriptor{Digest: digest.FromBytes(text), Size: int64(size)}
		err := content.WriteBlob(s, store, "sized", bytes.NewReader(text), of,
			content.WithLabels(map[string]string{"containerd.io/gc.root": "x"}))
		if s.try("write a blob", err) && size > 0 {
			back, err := content.ReadBlob(s, store, of)
			got(s, "read it back", bytes.Equal(back, text), err)
		}
	}

	update := func(what string, labels map[string]string, paths ...string) {
		info, err := store.Update(s, content.Info{Digest: sum, Labels: labels}, paths...)
		got(s, what, info.Labels, err)
	}
	update("update one label", map[string]string{"color": "green", "shape": "round"}, "labels.color")
	update("add a label", map[string]string{"shape": "round"}, "labels.shape")
	update("remove a label", map[string]string{}, "labels.shape")
	update("update labels", map[string]string{"color": "blue", "containerd.io/gc.root": "y"}, "labels")
	update("update a path that there is not", nil, "size")
	_, err = store.Update(s, content.Info{Digest: digest.FromString("missing")})
	s.try("update what is missing", err)
	s.blobs("blobs by a label", "labels.color==blue")
	s.blobs("blobs by a digest", "digest=="+sum.String())
	s.blobs("blobs by a filter that is none", "color=")
	s.blobs("all blobs")
	s.try("delete", store.Delete(s, sum))
	s.try("delete again", store.Delete(s, sum))
	s.blobs("blobs that are left")
}
