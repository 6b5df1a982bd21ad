package main

import (
	"context"
	"sort"
	"strings"

	"github.com/containerd/containerd/images"
	"github.com/containerd/containerd/namespaces"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

func namespacesScenario(s *story) {
	store := s.client.NamespaceService()
	name := func(suffix string) string { return s.namespace + "-" + suffix }
	labels := func(what, of string) {
		found, err := store.Labels(s, of)
		if found == nil {
			found = map[string]string{}
		}
		got(s, what, found, err)
	}
	list := func(what string) {
		found, err := store.List(s)
		var own []string
		for _, one := range found {
			if strings.HasPrefix(one, s.namespace) {
				own = append(own, s.hidden(one))
			}
		}
		sort.Strings(own)
		got(s, what, own, err)
	}
	s.try("create", store.Create(s, name("one"), map[string]string{"color": "red"}))
	s.try("create again", store.Create(s, name("one"), nil))
	s.try("create without labels", store.Create(s, name("two"), nil))
	for _, bad := range []string{"", "with space", "-dash", "a/b", strings.Repeat("x", 77)} {
		s.try("create "+bad, store.Create(s, bad, nil))
	}
	list("list")
	labels("labels", name("one"))
	labels("labels of none", name("two"))
	labels("labels of what is missing", name("missing"))
	s.try("set a label", store.SetLabel(s, name("one"), "shape", "round"))
	s.try("change a label", store.SetLabel(s, name("one"), "color", "blue"))
	s.try("remove a label", store.SetLabel(s, name("one"), "shape", ""))
	labels("labels that were changed", name("one"))
	s.try("set a label of what is missing", store.SetLabel(s, name("three"), "shape", "round"))
	labels("labels of what was missing", name("three"))
	s.try("set a label that is too long", store.SetLabel(s, name("one"), "x", strings.Repeat("y", 5000)))
	list("list after the labels")

	inside := namespaces.WithNamespace(context.Background(), name("one"))
	of := ocispec.Descriptor{MediaType: "text/plain", Digest: digest.FromString("x"), Size: 1}
	_, err := s.client.ImageService().Create(inside, images.Image{Name: "x", Target: of})
	s.try("create an image inside", err)
	_, err = s.client.ImageService().Get(s, "x")
	s.try("get it from another", err)
	s.try("delete what is not empty", store.Delete(s, name("one")))
	s.try("delete the image", s.client.ImageService().Delete(inside, "x"))
	for _, suffix := range []string{"one", "two", "three", "missing"} {
		s.try("delete "+suffix, store.Delete(s, name(suffix)))
	}
	list("list in the end")

	implied := namespaces.WithNamespace(context.Background(), name("implied"))
	_, err = s.client.ImageService().Create(implied, images.Image{Name: "x", Target: of})
	s.try("create an image in a namespace that is not there", err)
	list("list with what that made")
	s.try("delete its image", s.client.ImageService().Delete(implied, "x"))
	s.try("delete it", store.Delete(s, name("implied")))
	bad := namespaces.WithNamespace(context.Background(), "with space")
	_, err = s.client.ImageService().List(bad)
	s.try("list images in a namespace of a bad name", err)
	_, err = s.client.ImageService().List(context.Background())
	s.try("list images without a namespace", err)
}
