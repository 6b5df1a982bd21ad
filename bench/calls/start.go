package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"syscall"
	"time"

	versionapi "github.com/containerd/containerd/api/services/version/v1"
	"google.golang.org/protobuf/types/known/emptypb"
)

// startDaemon starts the command that follows the flags, waits for its first answer, and ends it. It returns the
// milliseconds from the one to the other.
func startDaemon() any {
	command := flag.Args()
	if len(command) == 0 {
		fail(fmt.Errorf("there is no command to start"))
	}
	if err := os.Remove(*address); err != nil && !os.IsNotExist(err) {
		fail(err)
	}
	daemon := exec.Command(command[0], command[1:]...)
	// It ends with this program, should that fail.
	daemon.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	start := time.Now()
	check(daemon.Start())
	for {
		if connection, err := net.Dial("unix", *address); err == nil {
			connection.Close()
			break
		}
		if time.Since(start) > time.Minute {
			fail(fmt.Errorf("%s does not listen", command[0]))
		}
		time.Sleep(time.Millisecond)
	}
	connection := connection()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	_, err := versionapi.NewVersionClient(connection).Version(ctx, &emptypb.Empty{})
	check(err)
	taken := milliseconds(time.Since(start))
	connection.Close()
	check(daemon.Process.Signal(syscall.SIGTERM))
	// Daemons end with different codes after a signal.
	_ = daemon.Wait()
	return map[string]float64{"milliseconds": taken}
}
