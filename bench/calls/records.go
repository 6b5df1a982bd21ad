package main

import (
	"flag"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	containersapi "github.com/containerd/containerd/api/services/containers/v1"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
)

var (
	count    = flag.Int("count", 1, "how many records")
	template = flag.String("template", "", "id of the container whose record is copied")
)

// changeRecords creates records of containers, updates each and deletes each, and returns the rates per second.
func changeRecords() any {
	connection := connection()
	defer connection.Close()
	client := containersapi.NewContainersClient(connection)
	found, err := client.Get(inNamespace(), &containersapi.GetContainerRequest{ID: *template})
	check(err)
	id := func(index int64) string { return fmt.Sprintf("record-%d", index) }
	labels := &fieldmaskpb.FieldMask{Paths: []string{"labels"}}
	return map[string]float64{
		"create": rate(func(index int64) error {
			container := &containersapi.Container{
				ID: id(index), Image: found.Container.Image, Runtime: found.Container.Runtime, Spec: found.Container.Spec,
				Labels: map[string]string{"index": fmt.Sprint(index)},
			}
			_, err := client.Create(inNamespace(), &containersapi.CreateContainerRequest{Container: container})
			return err
		}),
		"update": rate(func(index int64) error {
			container := &containersapi.Container{ID: id(index), Labels: map[string]string{"updated": "yes"}}
			request := &containersapi.UpdateContainerRequest{Container: container, UpdateMask: labels}
			_, err := client.Update(inNamespace(), request)
			return err
		}),
		"delete": rate(func(index int64) error {
			_, err := client.Delete(inNamespace(), &containersapi.DeleteContainerRequest{ID: id(index)})
			return err
		}),
	}
}

// rate does something for each record, and returns how many in a second.
func rate(body func(index int64) error) float64 {
	var next atomic.Int64
	var group sync.WaitGroup
	start := time.Now()
	for caller := 0; caller < *callers; caller++ {
		group.Add(1)
		go func() {
			defer group.Done()
			for index := next.Add(1); index <= int64(*count); index = next.Add(1) {
				check(body(index))
			}
		}()
	}
	group.Wait()
	return float64(*count) / time.Since(start).Seconds()
}
