package main

import (
	"sort"
	"time"

	"github.com/containerd/containerd/sandbox"
)

func sandboxes(s *story) {
	store := s.client.SandboxStore()
	list := func(what string, filters ...string) {
		found, err := store.List(s, filters...)
		sort.Slice(found, func(i, j int) bool { return found[i].ID < found[j].ID })
		var all []any
		for _, one := range found {
			all = append(all, []any{one.ID, one.Labels, one.Runtime.Name})
		}
		got(s, what, all, err)
	}
	before := time.Now()
	one, err := store.Create(s, sandbox.Sandbox{
		ID: "one", Labels: map[string]string{"color": "red"}, Runtime: sandbox.RuntimeOpts{Name: "io.containerd.runc.v2"},
	})
	if s.try("create", err) {
		s.is("created", []any{one.ID, one.Labels, one.Runtime.Name})
		s.between("created in the time of the call", before, one.CreatedAt)
	}
	_, err = store.Create(s, sandbox.Sandbox{ID: "one", Runtime: sandbox.RuntimeOpts{Name: "io.containerd.runc.v2"}})
	s.try("create again", err)
	_, err = store.Create(s, sandbox.Sandbox{ID: "two"})
	s.try("create without a runtime", err)
	_, err = store.Create(s, sandbox.Sandbox{ID: "", Runtime: sandbox.RuntimeOpts{Name: "io.containerd.runc.v2"}})
	s.try("create without an id", err)
	list("list")
	list("list by label", "labels.color==red")
	list("list by id", "id==missing")
	found, err := store.Get(s, "one")
	got(s, "get", []any{found.ID, found.Labels}, err)
	_, err = store.Get(s, "missing")
	s.try("get what is missing", err)
	changed, err := store.Update(s, sandbox.Sandbox{ID: "one", Labels: map[string]string{"color": "blue"}}, "labels.color")
	got(s, "update", []any{changed.ID, changed.Labels}, err)
	_, err = store.Update(s, sandbox.Sandbox{ID: "missing"}, "labels.color")
	s.try("update what is missing", err)
	s.try("delete", store.Delete(s, "one"))
	s.try("delete again", store.Delete(s, "one"))
	list("list in the end")
}
