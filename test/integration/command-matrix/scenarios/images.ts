import type { Scenarios } from '../scenarios.ts'

export const imagesScenarios: Scenarios = {
  pulls: `
    ctr images pull --plain-http $BUSYBOX
    ctr images pull --plain-http $BUSYBOX
    ctr images ls
    ctr content ls -q | sort
    ctr snapshots ls | sort
    ctr images pull --plain-http --platform $PLATFORM --label a=b $BUSYBOX
    ctr images ls
    ctr images pull --plain-http --all-platforms $BUSYBOX
    ctr content ls -q | wc -l
    ctr images rm --sync $BUSYBOX
    ctr content ls -q
    ctr snapshots ls
    ctr images pull --local --plain-http --all-metadata --print-chainid $BUSYBOX
    ctr images pull --local --plain-http --max-concurrent-downloads 2 --snapshotter native $BUSYBOX
    ctr snapshots --snapshotter native ls | wc -l
    ctr images pull --plain-http --all-metadata --snapshotter native $BUSYBOX
    ctr images pull --plain-http --print-chainid $BUSYBOX
    ctr images pull --plain-http --max-concurrent-downloads 2 $BUSYBOX
    ctr images pull --plain-http --snapshotter none $BUSYBOX
    ctr images pull --plain-http --local --snapshotter none $BUSYBOX
    ctr images pull --plain-http $BUSYBOX-none
    ctr images pull $BUSYBOX
    last ctr images pull --plain-http nonsense
    ctr images pull --plain-http --platform nonsense $BUSYBOX
    ctr images pull --plain-http --platform linux/riscv64 $BUSYBOX
    ctr images pull --plain-http --user guest:secret $LOCKED
    ctr images pull --plain-http --user guest:wrong $LOCKED-wrong
    ctr images pull --plain-http $LOCKED-wrong
    ctr images pull --plain-http --refresh token $LOCKED-wrong
    ctr images pull --skip-verify --plain-http $BUSYBOX
    ctr images pull --hosts-dir . --plain-http $BUSYBOX
    ctr images pull --tlscacert none.pem $BUSYBOX
    ctr images pull --tlscert none.pem --tlskey none.pem $BUSYBOX
    ctr images pull --http-dump --plain-http $BUSYBOX
    ctr images pull --http-trace --plain-http $BUSYBOX
    ctr images pull
    ctr images rm --sync $BUSYBOX $LOCKED`,

  pushes: `
    ctr images import --all-platforms $ARCHIVE
    ctr images push --plain-http $REPOSITORY:a example.com/busybox:latest
    ctr images push --plain-http $REPOSITORY:a example.com/busybox:latest
    ctr images push --plain-http $REPOSITORY:a
    ctr images push --plain-http --platform $PLATFORM $REPOSITORY:b example.com/busybox:latest
    ctr images push --local --plain-http --platform $PLATFORM $REPOSITORY:c example.com/busybox:latest
    ctr images push --local --plain-http --max-concurrent-uploaded-layers 1 $REPOSITORY:d example.com/busybox:latest
    ctr images push --plain-http --max-concurrent-uploaded-layers 1 $REPOSITORY:d example.com/busybox:latest
    # Stock ctr takes a manifest for empty: it panics, or, rarely, ends with an error.
    ctr images push --plain-http --manifest $MANIFEST $REPOSITORY:e >pushed 2>&1 || echo failed
    ctr images push --local --plain-http --manifest $MANIFEST \\
      --manifest-type application/vnd.oci.image.manifest.v1+json $REPOSITORY:e >pushed 2>&1 || echo failed
    ctr images push --local --plain-http --allow-non-distributable-blobs $REPOSITORY:f example.com/busybox:latest
    ctr images push --plain-http --allow-non-distributable-blobs $REPOSITORY:f example.com/busybox:latest
    ctr images push --plain-http $REPOSITORY:g none:latest
    last ctr images push --plain-http --user guest:wrong $LOCKED-wrong example.com/busybox:latest | \\
      sed s/sha256:.*:/some:/
    last ctr images push --plain-http --skip-verify --hosts-dir . --http-trace $REPOSITORY:g example.com/busybox:latest
    last ctr images push --tlscacert none --tlscert none --tlskey none $LOCKED-a example.com/busybox:latest
    last ctr images push --plain-http --refresh token --http-dump $LOCKED-a example.com/busybox:latest | \
      sed s/sha256:.*:/some:/
    ctr images push $REPOSITORY:h example.com/busybox:latest
    ctr images push
    for tag in a b c d e f; do ctr images pull --plain-http $REPOSITORY:$tag >pull 2>&1; echo $tag $?; done
    ctr images ls | sort
    ctr images rm --sync $(ctr images ls -q)`,

  images: `
    ctr images pull --plain-http --label one=1 $BUSYBOX >pull
    ctr images list
    ctr i ls -q
    ctr image ls name==$BUSYBOX
    ctr images ls -q name==none labels.one==1
    ctr images ls 'name=='
    ctr images ls 'name='
    ctr images check
    ctr images check -q
    ctr images check --snapshotter native
    ctr images check name==none
    ctr images usage $BUSYBOX
    ctr images usage --snapshotter native $BUSYBOX
    ctr images usage none
    ctr images usage
    ctr images tag $BUSYBOX example.com/tag:1 example.com/tag:2
    ctr images tag $BUSYBOX example.com/tag:1
    ctr images tag --force $BUSYBOX example.com/tag:1
    ctr images tag --local $BUSYBOX example.com/tag:3
    ctr images tag --local --force $BUSYBOX example.com/tag:3
    ctr images tag --local $BUSYBOX example.com/tag:3
    ctr images tag none example.com/tag:4
    ctr images tag $BUSYBOX 'no reference'
    ctr images tag --local $BUSYBOX 'no reference'
    ctr images tag $BUSYBOX
    ctr images ls | sort
    ctr images label $BUSYBOX two=2
    ctr images label $BUSYBOX two= three=3
    ctr images label --replace-all $BUSYBOX four=4
    ctr images label -r $BUSYBOX
    ctr images label $BUSYBOX
    ctr images label none a=b
    ctr images label $BUSYBOX long=$(printf %04096d 1)
    ctr images label
    ctr images ls -q | sort
    ctr images convert --oci $BUSYBOX example.com/converted:1
    ctr images convert --uncompress --platform $PLATFORM $BUSYBOX example.com/converted:2
    ctr images convert --uncompress --all-platforms $BUSYBOX example.com/converted:3
    ctr images convert --oci none example.com/converted:4
    ctr images convert $BUSYBOX example.com/converted:5
    ctr images convert $BUSYBOX
    ctr images ls | sort
    ctr images prune
    ctr images prune --all
    ctr images ls -q
    ctr images delete none
    ctr images rm
    ctr images import $ARCHIVE >import
    ctr images del --sync none example.com/busybox:latest
    ctr images check
    ctr content ls -q`,

  archives: `
    ctr images import $ARCHIVE
    ctr images ls
    ctr snapshots info $ROOTFS
    ctr images import --local $ARCHIVE
    ctr images ls
    ctr snapshots ls | wc -l
    ctr images import --no-unpack --index-name example.com/index:1 $ARCHIVE
    ctr images import --base-name example.com/base $ARCHIVE
    ctr images import --digests --base-name example.com/base $ARCHIVE
    ctr images import --local --digests --skip-digest-for-named $ARCHIVE
    ctr images import --local --index-name example.com/index:2 --no-unpack $ARCHIVE
    ctr images import --local --platform $PLATFORM --snapshotter native $ARCHIVE
    ctr images import --platform $PLATFORM --snapshotter native $ARCHIVE
    ctr images import --platform linux/riscv64 $ARCHIVE
    ctr images import --local --platform linux/riscv64 $ARCHIVE
    ctr images import --local --discard-unpacked-layers $ARCHIVE
    ctr images import --discard-unpacked-layers $ARCHIVE
    ctr images import --discard-unpacked-layers --no-unpack $ARCHIVE
    ctr images import --compress-blobs $ARCHIVE
    ctr images import --local --compress-blobs --all-platforms $ARCHIVE
    ctr images ls | sort
    cat $ARCHIVE | ctr images import -
    echo nonsense | ctr images import -
    echo nonsense | ctr images import --local -
    ctr images import none.tar
    ctr images import
    ctr images export one.tar example.com/busybox:latest
    tar --list --file one.tar
    tar --extract --to-stdout --file one.tar index.json manifest.json
    ctr images export --local two.tar example.com/busybox:latest
    cmp one.tar two.tar
    ctr images export --skip-manifest-json --skip-non-distributable three.tar example.com/busybox:latest
    tar --list --file three.tar
    ctr images export --platform $PLATFORM four.tar example.com/busybox:latest
    tar --list --file four.tar
    ctr images export --local --all-platforms five.tar example.com/busybox:latest
    ctr images export --all-platforms six.tar example.com/busybox:latest example.com/index:1
    tar --extract --to-stdout --file six.tar index.json
    ctr images export - example.com/busybox:latest | cmp - one.tar
    ctr images export seven.tar none
    ctr images export --local eight.tar none
    ctr images export nine.tar
    ctr images export
    ctr images rm --sync $(ctr images ls -q) >removed
    ctr content ls -q`,

  'mounted images': `
    ctr images pull --plain-http $BUSYBOX >pull 2>&1
    mkdir target
    ctr images mount $BUSYBOX target
    cat target/etc/top
    touch target/new
    ctr images unmount target
    ls target
    ctr images unmount --rm target
    ctr images mount --rw --platform $PLATFORM $BUSYBOX target
    touch target/new
    ctr images unmount --rm target
    ls target
    ctr images mount --snapshotter native --label a=b $BUSYBOX target
    ctr images mount --snapshotter none $BUSYBOX target
    ctr images mount none target
    ctr images mount --plain-http --skip-verify --hosts-dir . --user a:b --http-trace --http-dump \
      --tlscacert none --tlscert none --tlskey none --refresh token none target
    ctr images unmount --plain-http --skip-verify --hosts-dir . --user a:b --http-trace --http-dump \
      --tlscacert none --tlscert none --tlskey none --refresh token --label a=b none
    ctr images mount $BUSYBOX
    ctr images unmount
    ctr images unmount --snapshotter native --rm none
    ctr snapshots ls | sort
    ctr images rm --sync $BUSYBOX`,
}
