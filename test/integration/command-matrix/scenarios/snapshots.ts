import type { Scenarios } from '../scenarios.ts'

export const snapshotsScenarios: Scenarios = {
  snapshots: `
    ctr images pull --plain-http $BUSYBOX >pull 2>&1
    ctr snapshots list | sort
    ctr snapshots tree
    ctr snapshots usage | sort
    ctr snapshots usage -b $ROOTFS
    ctr snapshot usage none
    ctr snapshots info $ROOTFS
    ctr snapshots info none
    ctr snapshots info
    ctr snapshots prepare active $ROOTFS
    ctr snapshots prepare --target /mnt mounted $ROOTFS
    ctr snapshots prepare --mounts described $ROOTFS
    ctr snapshots prepare empty
    ctr snapshots prepare -t /mnt bottom
    ctr snapshots prepare active $ROOTFS
    ctr snapshots prepare orphan none
    ctr snapshots prepare ''
    ctr snapshots prepare
    ctr snapshots view seen $ROOTFS
    ctr snapshots view --mounts described-view $ROOTFS
    ctr snapshots view -t /mnt lower $CHAIN
    for view in seen described-view lower; do ctr snapshots label $view containerd.io/gc.root=1; done
    ctr snapshots view orphan none
    ctr snapshots view
    ctr snapshots mounts /mnt active
    ctr snapshots mounts /mnt seen
    ctr snapshots mounts /mnt $ROOTFS
    ctr snapshots mounts /mnt none
    ctr snapshots mounts
    ctr snapshots commit done active
    ctr snapshots commit done mounted
    ctr snapshots commit other none
    ctr snapshots commit other seen
    ctr snapshots commit
    ctr snapshots label done a=b
    ctr snapshots label done a= c=d
    ctr snapshots label done
    ctr snapshots label none a=b
    ctr snapshots label
    ctr snapshots info done
    ctr snapshots ls | sort
    ctr snapshots tree | sort
    ctr snapshots delete $CHAIN
    ctr snapshots rm none
    ctr snapshots del lower seen described-view
    ctr snapshots rm
    mkdir target
    sh -c "$(ctr snapshots mounts target mounted)" && echo new >target/new && umount target
    ctr snapshots diff mounted | tar --list --gzip
    ctr snapshots diff --media-type application/vnd.oci.image.layer.v1.tar mounted | tar --list
    ctr snapshots diff $ROOTFS $CHAIN | tar --list --gzip
    collect
    ctr snapshots diff --ref kept --keep --label a=b --label containerd.io/gc.root=1 mounted | tar --list --gzip
    ctr content ls labels.a==b | tail -n +2 | wc -l
    ctr snapshots diff none
    ctr snapshots diff
    ctr snapshots diff --media-type text/plain mounted
    ctr snapshots unpack $MANIFEST
    ctr snapshots unpack $(ctr images ls | sed -n 's/.* \\(sha256:[0-9a-f]*\\) .*/\\1/p')
    ctr snapshots unpack --snapshotter native $(ctr images ls | sed -n 's/.* \\(sha256:[0-9a-f]*\\) .*/\\1/p')
    ctr snapshots unpack
    ctr snapshots --snapshotter native ls | wc -l
    ctr snapshots --snapshotter none ls
    ctr snapshots rm mounted described empty bottom done
    ctr images rm --sync $BUSYBOX
    ctr snapshots ls`,
}
