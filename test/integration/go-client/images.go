package main

import (
	"sort"
	"time"

	"github.com/containerd/containerd/images"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

func imagesScenario(s *story) {
	store := s.client.ImageService()
	of := func(text string) ocispec.Descriptor {
		return ocispec.Descriptor{
			MediaType:   "application/vnd.oci.image.manifest.v1+json",
			Digest:      digest.FromString(text),
			Size:        int64(len(text)),
			Annotations: map[string]string{"text": text},
		}
	}
	list := func(what string, filters ...string) {
		found, err := store.List(s, filters...)
		var all []any
		sort.Slice(found, func(i, j int) bool { return found[i].Name < found[j].Name })
		for _, image := range found {
			all = append(all, target(image))
		}
		got(s, what, all, err)
	}
	before := time.Now()
	one, err := store.Create(s, images.Image{
		Name: "example.com/one:1", Target: of("one"), Labels: map[string]string{"color": "red", "containerd.io/gc.root": "x"},
	})
	s.must("create", err)
	s.is("created", target(one))
	s.between("created in the time of the call", before, one.CreatedAt)
	s.is("created and updated at once", one.CreatedAt.Equal(one.UpdatedAt))
	_, err = store.Create(s, images.Image{Name: "example.com/one:1", Target: of("other")})
	s.try("create again", err)
	_, err = store.Create(s, images.Image{Name: "", Target: of("other")})
	s.try("create without a name", err)
	_, err = store.Create(s, images.Image{Name: "example.com/none"})
	s.try("create without a target", err)
	bad := of("bad")
	bad.Digest = "sha256:short"
	_, err = store.Create(s, images.Image{Name: "example.com/bad", Target: bad})
	s.try("create with a digest that is none", err)
	bad = of("bad")
	bad.MediaType = ""
	_, err = store.Create(s, images.Image{Name: "example.com/bad", Target: bad})
	s.try("create without a media type", err)
	bad = of("bad")
	bad.Size = 0
	_, err = store.Create(s, images.Image{Name: "example.com/bad", Target: bad})
	s.try("create with a size of zero", err)
	_, err = store.Create(s, images.Image{Name: "any name at all", Target: of("two"), Labels: map[string]string{"color": "blue"}})
	s.try("create with a name that is no reference", err)

	for _, filter := range []string{
		"name==example.com/one:1", "name~=one", "labels.color==red", "labels.color!=red", "labels.color",
		"target.mediatype~=manifest", "target.digest==" + of("two").Digest.String(), "name==missing", "labels.\"color\"==blue",
		"name~=one,labels.color==blue", "name=", "missing==1",
	} {
		list("list "+filter, filter)
	}
	list("list by two filters", "labels.color==red", "labels.color==blue")
	list("list all")

	update := func(what string, image images.Image, paths ...string) {
		before := time.Now()
		updated, err := store.Update(s, image, paths...)
		if err != nil {
			s.try(what, err)
			return
		}
		s.is(what, target(updated))
		s.between(what+" is the time of the update", before, updated.UpdatedAt)
	}
	one.Labels = map[string]string{"color": "green", "shape": "round"}
	update("update one label", one, "labels.color")
	update("update labels", one, "labels")
	one.Labels = map[string]string{}
	update("remove a label by its path", one, "labels.shape")
	one.Target = of("three")
	update("update the target", one, "target")
	one.Target = of("four")
	update("update the annotations", one, "annotations")
	update("update all", one)
	update("update a path that there is not", one, "name")
	update("update what is missing", images.Image{Name: "missing", Target: of("x")})
	none, err := store.Get(s, "missing")
	got(s, "get what is missing", target(none), err)
	s.try("delete", store.Delete(s, "example.com/one:1"))
	s.try("delete again", store.Delete(s, "example.com/one:1"))
	s.try("delete without a name", store.Delete(s, ""))
	list("list what is left")
}
