package main

import (
	"context"
	"flag"
	"fmt"
	"sort"
	"sync"
	"time"

	containersapi "github.com/containerd/containerd/api/services/containers/v1"
	contentapi "github.com/containerd/containerd/api/services/content/v1"
	imagesapi "github.com/containerd/containerd/api/services/images/v1"
	versionapi "github.com/containerd/containerd/api/services/version/v1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"
)

var (
	method  = flag.String("method", "", "what to call: version, container, image or content")
	name    = flag.String("name", "", "id, name or digest of what to ask for")
	seconds = flag.Float64("seconds", 1, "how long to call")
)

type callsMade struct {
	Calls     int     `json:"calls"`
	PerSecond float64 `json:"perSecond"`
	// In milliseconds.
	Median  float64 `json:"median"`
	Slowest float64 `json:"slowest"`
}

// repeatCall makes the same call over and over.
func repeatCall() any {
	connection := connection()
	defer connection.Close()
	call := callOf(connection)
	// The connection is made with the first call.
	check(call(inNamespace()))
	taken := make([][]float64, *callers)
	start := time.Now()
	end := start.Add(time.Duration(*seconds * float64(time.Second)))
	var group sync.WaitGroup
	for caller := range taken {
		group.Add(1)
		go func() {
			defer group.Done()
			ctx := inNamespace()
			for before := time.Now(); before.Before(end); {
				check(call(ctx))
				after := time.Now()
				taken[caller] = append(taken[caller], milliseconds(after.Sub(before)))
				before = after
			}
		}()
	}
	group.Wait()
	duration := time.Since(start).Seconds()
	var all []float64
	for _, times := range taken {
		all = append(all, times...)
	}
	sort.Float64s(all)
	return callsMade{len(all), float64(len(all)) / duration, all[len(all)/2], all[len(all)-1]}
}

func callOf(connection *grpc.ClientConn) func(context.Context) error {
	switch *method {
	case "version":
		client := versionapi.NewVersionClient(connection)
		return func(ctx context.Context) error {
			_, err := client.Version(ctx, &emptypb.Empty{})
			return err
		}
	case "container":
		client := containersapi.NewContainersClient(connection)
		return func(ctx context.Context) error {
			_, err := client.Get(ctx, &containersapi.GetContainerRequest{ID: *name})
			return err
		}
	case "image":
		client := imagesapi.NewImagesClient(connection)
		return func(ctx context.Context) error {
			_, err := client.Get(ctx, &imagesapi.GetImageRequest{Name: *name})
			return err
		}
	case "content":
		client := contentapi.NewContentClient(connection)
		return func(ctx context.Context) error {
			_, err := client.Info(ctx, &contentapi.InfoRequest{Digest: *name})
			return err
		}
	}
	fail(fmt.Errorf("there is no method %q", *method))
	return nil
}

func milliseconds(duration time.Duration) float64 {
	return float64(duration.Nanoseconds()) / 1e6
}
