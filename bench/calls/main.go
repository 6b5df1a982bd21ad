// calls is a foreign client of a daemon, by which bench/table measures: it has the API that containerd's authors have
// generated for Go, and prints what it measured as one line of JSON.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"os"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
)

var (
	address   = flag.String("address", "", "socket of the daemon")
	namespace = flag.String("namespace", "bench", "namespace to work in")
	callers   = flag.Int("callers", 1, "calls at the same time")
)

// modes are told apart by the first argument, which the flags follow.
var modes = map[string]func() any{
	"call":    repeatCall,
	"records": changeRecords,
	"start":   startDaemon,
}

func main() {
	if len(os.Args) < 2 {
		fail(fmt.Errorf("usage: calls call|records|start [flags]"))
	}
	run, found := modes[os.Args[1]]
	if !found {
		fail(fmt.Errorf("there is no mode %q", os.Args[1]))
	}
	if err := flag.CommandLine.Parse(os.Args[2:]); err != nil {
		fail(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(run()); err != nil {
		fail(err)
	}
}

// connection returns one connection, which all callers share, as those of containerd's client library do.
func connection() *grpc.ClientConn {
	dial := func(ctx context.Context, path string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	}
	credentials := grpc.WithTransportCredentials(insecure.NewCredentials())
	connection, err := grpc.Dial("passthrough:///"+*address, credentials, grpc.WithContextDialer(dial))
	check(err)
	return connection
}

func inNamespace() context.Context {
	return metadata.AppendToOutgoingContext(context.Background(), "containerd-namespace", *namespace)
}

func check(err error) {
	if err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "calls:", err)
	os.Exit(1)
}
