import type { Scenarios } from '../scenarios.ts'

export const daemonScenarios: Scenarios = {
  daemon: `
    ctr version | sed -E 's/: +[^ ]+$/: some/'
    ctr info | sed -E 's/"pid": [0-9]+/"pid": some/'
    ctr plugins ls | sort
    ctr plugins ls -q type==io.containerd.content.v1
    ctr plugins list type==io.containerd.content.v1
    ctr plugins ls --detailed type==io.containerd.content.v1
    ctr plugins ls -d id==overlayfs
    ctr plugins ls id==none
    ctr plugins ls nonsense==
    ctr deprecations list
    ctr deprecations list --format json
    ctr deprecations list --format nonsense
    ctr oci spec
    ctr oci spec --platform linux/arm64
    ctr oci spec --platform windows/amd64
    ctr oci spec --platform nonsense
    ctr nonsense
    ctr --version
    ctr -a /none/such.sock --connect-timeout 100ms version
    ctr -n a/b images ls
    ctr -n '' images ls
    ctr --timeout 1ns images ls`,

  namespaces: `
    ctr namespaces create $NAMESPACE-a
    ctr ns c $NAMESPACE-b one=1 two=2
    ctr namespaces create $NAMESPACE-a
    ctr namespaces create
    ctr namespaces create a/b
    ctr namespaces create $NAMESPACE-long-$(printf %080d 1)
    ctr namespaces create $NAMESPACE-c long=$(printf %04096d 1)
    ctr namespace list | grep $NAMESPACE-
    ctr ns ls -q | grep $NAMESPACE-
    ctr namespaces label $NAMESPACE-a three=3 four=
    ctr namespaces label $NAMESPACE-b one= two=22
    ctr namespaces label $NAMESPACE-b
    ctr namespaces label $NAMESPACE-d new=1
    ctr namespaces label
    ctr ns ls | grep $NAMESPACE-
    ctr -n $NAMESPACE-a leases create --id held
    echo hello | ctr -n $NAMESPACE-a content ingest hello
    ctr namespaces remove $NAMESPACE-a
    ctr -n $NAMESPACE-a content rm sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03
    ctr namespaces remove $NAMESPACE-a
    ctr namespaces rm $NAMESPACE-b $NAMESPACE-none $NAMESPACE-d
    ctr namespaces create $NAMESPACE-e
    ctr namespaces remove --cgroup $NAMESPACE-e
    ctr namespaces remove
    ctr ns ls -q | grep $NAMESPACE-`,

  leases: `
    ctr leases create --id one
    ctr leases create --id two --expires 1h a=b
    ctr leases create --id three -x 0 a=b c
    ctr leases create --id one
    ctr leases create | sed s/^[0-9]*-....$/random/
    ctr leases create a=b=c | sed s/^[0-9]*-....$/random/
    ctr leases list | sort | cut -d' ' -f1 | grep -v -- -
    ctr leases ls -q id==one
    ctr leases ls id==two
    ctr leases ls id==three
    ctr leases ls -q labels.a==b id==one | sort
    ctr leases ls -q 'id~=^t' | sort
    ctr leases ls 'id=='
    ctr leases ls 'id=nonsense'
    ctr leases delete one
    ctr leases rm one
    ctr leases del --sync two three
    ctr leases remove
    ctr leases ls -q id==one id==two id==three`,

  sandboxes: `
    ctr sandboxes list
    ctr sb ls --filters id==none
    ctr sandboxes run none.json one
    printf '{}' >pod.json; ctr sandboxes run --runtime io.containerd.none.v1 pod.json one
    ctr sandboxes run
    ctr s rm none
    ctr sandboxes remove --force none
    ctr sandboxes rm
    ctr sandboxes ls`,

  events: `
    ctr events >events 2>warnings & echo $! >pid; patiently seen first >made 2>&1
    ctr images pull --plain-http $BUSYBOX >pull 2>&1
    ctr images label $BUSYBOX a=b
    ctr run --rm $BUSYBOX one sh -c 'exit 3'
    ctr run --detach --null-io $BUSYBOX two sleep 1000
    ctr tasks exec --exec-id e two true
    ctr tasks pause two
    ctr tasks resume two
    ctr tasks kill -s 9 two
    patiently status STOPPED
    ctr tasks rm two
    ctr containers rm two
    ctr images rm --sync $BUSYBOX
    patiently seen last >made 2>&1; kill $(cat pid)
    sed -E "$hidden" events | grep -o "$NAMESPACE /tasks/.*"
    sed -E "$hidden" events | grep -o "$NAMESPACE /.*" | grep -v /tasks/ | sort
    sed -E 's/time=[^ ]*//' warnings | sort -u`,

  'what is not of the daemon': `
    ctr install
    ctr install --libs --replace --path $PWD none
    ctr pprof --debug-socket none.sock block --debug 1
    ctr pprof -d none.sock goroutines --debug 1
    ctr pprof -d none.sock heap --debug 1
    ctr pprof -d none.sock profile --seconds 1s --debug 1
    ctr pprof -d none.sock threadcreate --debug 1
    ctr pprof -d none.sock trace --seconds 1s --debug 1
    ctr shim --id none delete
    ctr shim --id none state
    ctr shim --id none start
    ctr shim --id none exec --stdin i --stdout o --stderr e --tty --attach --env A=1 --cwd / --spec none one`,
}
