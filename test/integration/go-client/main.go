// go-client uses containerd's client library as its users do, and prints what came of each call as a line of JSON.
// The same program runs against containerd and against nsbox-server; what it prints must be the same. So values that
// differ from run to run, such as times and process ids, are not printed; what holds for them is.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/containerd/containerd"
	"github.com/containerd/containerd/namespaces"
	"github.com/containerd/log"
)

// scenarios are told apart by name on the command line; each has a namespace of its own.
var scenarios = map[string]func(*story){
	"archives":      archives,
	"checkpoints":   checkpoints,
	"containers":    containersScenario,
	"content":       contentScenario,
	"diffs":         diffs,
	"events":        eventsScenario,
	"execs":         execs,
	"images":        imagesScenario,
	"introspection": introspection,
	"leases":        leasesScenario,
	"namespaces":    namespacesScenario,
	"pull":          pull,
	"push":          push,
	"sandboxes":     sandboxes,
	"sharing":       sharing,
	"snapshots":     snapshotsScenario,
	"tasks":         tasks,
	"transfers":     transfers,
}

func main() {
	address := flag.String("address", "", "socket of the daemon")
	namespace := flag.String("namespace", "", "namespace, of this run alone")
	registry := flag.String("registry", "", "HOST:PORT of a registry with the image")
	directory := flag.String("directory", "", "directory of this run alone")
	name := flag.String("scenario", "", "what to do")
	flag.Parse()
	// The library warns of what is told as a step.
	if err := log.SetLevel("panic"); err != nil {
		fail("%v", err)
	}
	run, found := scenarios[*name]
	if !found {
		fail("there is no scenario %q", *name)
	}
	client, err := containerd.New(*address)
	if err != nil {
		fail("%v", err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(namespaces.WithNamespace(context.Background(), *namespace), 3*time.Minute)
	defer cancel()
	s := &story{
		Context:   ctx,
		client:    client,
		address:   *address,
		namespace: *namespace,
		registry:  *registry,
		directory: *directory,
	}
	if !s.tell(run) {
		// What could not go on has been told as a step.
		os.Exit(2)
	}
}

func fail(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
	os.Exit(1)
}
