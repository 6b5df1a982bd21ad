package main

import (
	"strings"

	"github.com/containerd/containerd"
)

func introspection(s *story) {
	serving, err := s.client.IsServing(s)
	got(s, "is serving", serving, err)
	version, err := s.client.Version(s)
	got(s, "has a version", version.Version != "", err)
	server, err := s.client.Server(s)
	got(s, "has an id", server.UUID != "", err)
	again, err := s.client.Server(s)
	got(s, "has the same id again", server.UUID == again.UUID, err)
	s.is("runtime of a client", s.client.Runtime())
	s.try("connect anew", s.client.Reconnect())

	plugins := s.client.IntrospectionService()
	for _, filter := range []string{
		"type==io.containerd.snapshotter.v1,id==overlayfs", "type==io.containerd.snapshotter.v1,id==native",
		"type==io.containerd.content.v1", "type==io.containerd.grpc.v1,id==tasks", "type==io.containerd.grpc.v1,id==containers",
		"type==io.containerd.differ.v1", "type==io.containerd.service.v1,id==diff-service", "type==missing", "type=",
	} {
		found, err := plugins.Plugins(s, []string{filter})
		var all []any
		if err == nil {
			for _, one := range found.Plugins {
				var platforms []string
				for _, platform := range one.Platforms {
					platforms = append(platforms, platform.OS+"/"+platform.Architecture)
				}
				var exports []string
				for name := range one.Exports {
					exports = append(exports, name)
				}
				all = append(all, []any{one.Type, one.ID, platforms, one.Capabilities, one.InitErr == nil, exports})
			}
		}
		got(s, "plugins "+filter, all, err)
	}
	broken, err := plugins.Plugins(s, nil)
	if s.try("all plugins", err) {
		var failed []string
		for _, one := range broken.Plugins {
			if one.InitErr != nil && !strings.Contains(one.InitErr.Message, "skip plugin") {
				failed = append(failed, one.Type+" "+one.ID)
			}
		}
		s.is("plugins that failed", failed)
	}
	platforms, err := s.client.GetSnapshotterSupportedPlatforms(s, "overlayfs")
	got(s, "platforms of a snapshotter", platforms != nil, err)
	capabilities, err := s.client.GetSnapshotterCapabilities(s, "overlayfs")
	got(s, "capabilities of a snapshotter", capabilities, err)
	_, err = s.client.GetSnapshotterCapabilities(s, "missing")
	s.is("capabilities of a snapshotter that is missing fail", err != nil)

	other, err := containerd.New(s.address, containerd.WithDefaultNamespace(s.namespace), containerd.WithDefaultPlatform(platforms))
	s.must("connect a second time", err)
	label, err := other.GetLabel(s, "containerd.io/defaults/snapshotter")
	got(s, "a label of the namespace", label, err)
	s.try("close the second", other.Close())
}
