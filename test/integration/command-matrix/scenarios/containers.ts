import type { Scenarios } from '../scenarios.ts'

export const containersScenarios: Scenarios = {
  containers: `
    ctr images pull --plain-http $BUSYBOX >pull 2>&1
    ctr containers create $BUSYBOX plain
    ctr c create --label a=b --label c=d $BUSYBOX labelled echo hello
    ctr container create --rootfs $ROOT rooted /bin/busybox true
    ctr containers create $BUSYBOX plain
    ctr containers create none missing
    ctr containers create $BUSYBOX
    ctr containers create
    ctr containers create $BUSYBOX a/b
    ctr containers create --cwd /tmp --env A=1 --env B=2 --annotation x=y --hostname host --user 1:2 --read-only \\
      --net-host --tty --allow-new-privs --memory-limit 1000000 --cap-add CAP_SYS_ADMIN --cap-drop CAP_CHOWN \\
      --cpu-quota 50000 --cpu-period 100000 --rootfs-propagation rslave --device /dev/null \\
      --mount type=bind,src=/tmp,dst=/host,options=rbind:ro --with-ns ipc:/proc/1/ns/ipc $BUSYBOX much sleep 1
    ctr containers create --privileged --seccomp --snapshotter-label l=m $BUSYBOX privileged
    printf 'C=3\\nD=4\\n' >env && ctr containers create --env-file env --pid-file pid $BUSYBOX filed
    ctr containers create --env-file none $BUSYBOX unfiled
    printf {} >seccomp && ctr containers create --seccomp --seccomp-profile seccomp $BUSYBOX filtered
    ctr containers create --seccomp-profile seccomp $BUSYBOX unfiltered
    ctr containers create --apparmor-profile profile $BUSYBOX confined
    ctr containers create --apparmor-default-profile none $BUSYBOX defaulted
    ctr containers create --rdt-class class $BUSYBOX classed
    ctr containers create --blockio-class class $BUSYBOX blocked
    ctr containers create --blockio-config-file none --blockio-class class $BUSYBOX blocked
    ctr containers create --gpus 0 $BUSYBOX graphics
    ctr containers create --cap-add nonsense $BUSYBOX incapable
    ctr containers create --mount nonsense $BUSYBOX unmounted
    ctr containers create --with-ns nonsense $BUSYBOX unjoined
    ctr containers create --user nobody-of-this-name $BUSYBOX nobody
    ctr containers create --device /dev/none $BUSYBOX undeviced
    ctr containers create --snapshotter native $BUSYBOX native
    ctr containers create --snapshotter none $BUSYBOX none
    ctr containers create --runtime io.containerd.none.v1 $BUSYBOX other
    ctr containers create --runtime io.containerd.runc.v2 --runtime-config-path none $BUSYBOX configured
    ctr containers create --no-pivot $BUSYBOX pivotless
    ctr containers create --sandbox none $BUSYBOX sandboxed
    ctr oci spec >spec.json && ctr containers create --config spec.json specified
    ctr containers create --config none.json unspecified
    ctr containers list
    ctr c ls -q
    ctr containers ls labels.a==b
    ctr containers ls -q id==plain id==much
    ctr containers ls 'id=='
    ctr containers info plain
    ctr containers info rooted
    ctr containers info --spec much
    ctr containers info --spec privileged
    ctr containers info --spec filed
    ctr containers info specified
    ctr containers info none
    ctr containers info
    ctr containers label plain one=1 two=2
    ctr containers label plain one= two=3
    ctr containers label none a=b
    ctr containers label plain long=$(printf %04096d 1)
    ctr containers label
    ctr snapshots label much containerd.io/gc.root=1
    ctr containers delete --keep-snapshot much
    ctr snapshots info much
    ctr containers rm none
    ctr containers del plain none labelled
    ctr containers rm
    ctr containers rm $(ctr containers ls -q)
    ctr snapshots rm much
    collect
    ctr snapshots ls | sort
    ctr images rm --sync $BUSYBOX`,

  run: `
    ctr images pull --plain-http $BUSYBOX >pull 2>&1
    ctr run --rm $BUSYBOX r1 echo hello
    ctr run --rm $BUSYBOX r2 sh -c 'echo out; echo err >&2; exit 7'
    echo input | ctr run --rm $BUSYBOX r3 head -n 1
    (echo input; patiently status RUNNING >running) | ctr run --rm $BUSYBOX r4 cat
    script -qec 'ctr run --rm --tty $BUSYBOX r5 tty' /dev/null </dev/null | grep -v resize
    ctr run --rm --rootfs $ROOT r6 /bin/busybox echo rooted
    ctr run --rm none r7 true
    ctr run --rm $BUSYBOX r8 none
    ctr run --rm --detach $BUSYBOX r9 true
    ctr run
    ctr run $BUSYBOX
    ctr run --rm --env A=1 --env-file env $BUSYBOX r10 env
    printf 'C=3\\n' >env; ctr run --rm --env A=1 --env-file env --cwd /tmp --hostname host $BUSYBOX r11 \\
      sh -c 'echo $A $C; pwd; hostname'
    ctr run --rm --user 1:2 --read-only $BUSYBOX r12 sh -c 'id; touch /new'
    ctr run --rm --memory-limit 100000000 --cpus 0.5 --cpu-shares 512 $BUSYBOX r13 true
    ctr run --rm --cpu-quota 20000 --cpu-period 100000 $BUSYBOX r14 true
    ctr run --rm --cpus 1 --cpu-quota 20000 --cpu-period 100000 $BUSYBOX r15 true
    ctr run --rm --cap-drop CAP_CHOWN --cap-add CAP_SYS_ADMIN $BUSYBOX r16 grep Cap /proc/self/status
    ctr run --rm --privileged --privileged-without-host-devices $BUSYBOX r17 grep CapEff /proc/self/status
    ctr run --rm --privileged-without-host-devices $BUSYBOX r18 true
    ctr run --rm --allow-new-privs --seccomp $BUSYBOX r19 grep -E '^(NoNewPrivs|Seccomp):' /proc/self/status
    ctr run --rm --net-host --device /dev/null $BUSYBOX r20 true
    ctr run --rm --mount type=bind,src=$ROOT,dst=/host,options=rbind:ro $BUSYBOX r21 ls /host
    ctr run --rm --with-ns uts:/proc/self/ns/uts $BUSYBOX r22 true
    ctr run --rm --uidmap 0:100000:65536 --gidmap 0:100000:65536 $BUSYBOX r23 cat /proc/self/uid_map
    ctr run --rm --uidmap 0:100000:65536 $BUSYBOX r24 true
    ctr run --rm --uidmap nonsense --gidmap 0:100000:65536 $BUSYBOX r25 true
    # The copy with other owners is collected now, and not while r26 looks for it.
    ctr images tag $BUSYBOX collected:1
    ctr images rm --sync collected:1
    ctr run --rm --uidmap 0:100000:65536 --gidmap 0:100000:65536 --remap-labels $BUSYBOX r26 true
    ctr run --rm --cgroup /$NAMESPACE/named $BUSYBOX r27 true
    ctr run --rm --cgroup '' $BUSYBOX r28 true
    ctr run --rm --no-pivot $BUSYBOX r29 true
    ctr run --rm --runc-binary /usr/sbin/runc --runc-root $PWD/runc $BUSYBOX r30 echo own root
    ctr run --rm --runc-binary /none $BUSYBOX r31 true
    ctr run --rm --runc-systemd-cgroup $BUSYBOX r32 true
    ctr run --rm --runtime io.containerd.runc.v2 --runtime-config-path none $BUSYBOX r33 true
    ctr run --rm --runtime io.containerd.none.v1 $BUSYBOX r34 true
    ctr run --rm --platform $PLATFORM $BUSYBOX r35 echo platform
    ctr run --rm --platform $FOREIGN $BUSYBOX r36 true
    ctr run --rm --snapshotter native --snapshotter-label l=m $BUSYBOX r37 echo native
    ctr run --rm --snapshotter none $BUSYBOX r38 true
    ctr run --rm --sandbox none $BUSYBOX r39 true
    ctr run --rm --annotation a=b --label c=d $BUSYBOX r40 true
    ctr run --rm --rootfs-propagation rslave $BUSYBOX r41 true
    ctr run --rm --rdt-class class $BUSYBOX r42 true
    ctr run --rm --apparmor-profile none $BUSYBOX r43 true
    ctr run --rm --gpus 0 $BUSYBOX r44 true
    ctr run --rm --apparmor-default-profile none $BUSYBOX r45 true
    ctr run --rm --blockio-config-file none --blockio-class class $BUSYBOX r46 true
    ctr run --rm --seccomp --seccomp-profile none $BUSYBOX r47 true
    ctr run --rm --cni $BUSYBOX r48 true
    ctr oci spec >spec.json; ctr run --rm --config spec.json --null-io r49
    ctr run --detach --pid-file pid --fifo-dir $PWD/fifo $BUSYBOX one sleep 1000
    ctr run --detach $BUSYBOX one sleep 1000
    status RUNNING
    ctr containers ls
    ctr tasks rm -f one
    ctr containers rm one
    ctr run -d --log-uri file://$PWD/log $BUSYBOX two echo logged
    patiently test -s log; cat log
    patiently ctr tasks rm two 2>removed
    ctr containers rm two
    ctr run -d --null-io $BUSYBOX three sleep 1000
    ctr tasks rm -f three
    ctr containers rm three
    ctr run --null-io $BUSYBOX four sh -c 'exit 2'
    ctr containers ls
    ctr containers rm four
    ctr containers ls -q
    collect
    ctr snapshots ls | grep -c Active
    ctr images rm --sync $BUSYBOX`,

  checkpoints: `
    ctr images pull --plain-http $BUSYBOX >pull 2>&1
    ctr run --detach --null-io $BUSYBOX one sleep 1000
    ctr containers checkpoint one example.com/checkpoint:1
    ctr containers checkpoint one example.com/checkpoint:1
    ctr containers checkpoint none example.com/checkpoint:2
    ctr containers checkpoint one
    ctr containers checkpoint --task --rw --image one example.com/checkpoint:3
    patiently status STOPPED
    ctr tasks rm -f one
    ctr containers rm one
    ctr containers restore --live --rw one example.com/checkpoint:3
    status RUNNING
    ctr tasks rm -f one
    ctr containers rm one
    ctr containers restore one none
    ctr containers restore one
    ctr run --detach --null-io $BUSYBOX two sleep 1000
    ctr tasks checkpoint --image-path $PWD/images --work-path $PWD/work two
    ls images | grep -c img
    patiently status STOPPED
    ctr tasks checkpoint two
    ctr tasks rm -f two
    ctr tasks checkpoint none
    ctr tasks checkpoint
    ctr containers rm two
    ctr run --detach --null-io $BUSYBOX three sleep 1000
    ctr tasks checkpoint --exit three | sed -E 's/.*checkpoint.*/some/'
    patiently status STOPPED
    ctr tasks rm -f three
    ctr containers rm three
    ctr images ls -q | sort | sed 's/three:.*/three:some/'
    ctr containers ls -q
    ctr images rm --sync $(ctr images ls -q) >removed`,
}
