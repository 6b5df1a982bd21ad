import type { Scenarios } from '../scenarios.ts'

export const contentScenarios: Scenarios = {
  content: `
    echo hello | ctr content ingest hello
    ctr content label sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03 containerd.io/gc.root=1
    echo hello | ctr content ingest again
    echo hello | ctr content ingest --expected-size 6 sized
    echo hello | ctr content ingest --expected-size 5 short
    echo hello | ctr content ingest --expected-size 7 long
    echo other | ctr content ingest --expected-digest $MANIFEST unexpected
    echo other | ctr content ingest --expected-digest sha256:abc malformed
    echo hello | ctr content ingest
    ctr content active | sort
    ctr content active 'ref==unexpected'
    ctr content active unex
    ctr content active --timeout 10s --root /tmp/none 'ref==none'
    ctr content list
    ctr content ls -q
    ctr content ls labels.a==b
    ctr content get sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03
    ctr content get $CONFIG
    ctr content get sha256:abc
    ctr content get
    ctr content label sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03 a=b
    ctr content label sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03 a= containerd.io/gc.root=1
    ctr content label $CONFIG a=b
    ctr content label sha256:abc a=b
    ctr content label
    ctr content ls
    EDITOR=false ctr content edit sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03
    ctr content edit --validate json --editor 'sed -i s/hello/edited/' \\
      sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03
    ctr content edit --editor 'sed -i s/hello/edited/' \\
      sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03
    EDITOR=true ctr content edit $CONFIG
    ctr content ls -q
    ctr content delete sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03 $CONFIG sha256:abc
    ctr content rm
    ctr content prune references
    ctr content ls -q`,

  'content from registries': `
    ctr content fetch --plain-http --metadata-only $BUSYBOX
    ctr content ls -q | sort
    ctr images ls
    ctr images rm --sync $BUSYBOX
    ctr content fetch --plain-http --platform $PLATFORM --label a=b $BUSYBOX
    ctr content fetch --plain-http --all-platforms $BUSYBOX
    ctr content fetch --plain-http --all-metadata $BUSYBOX
    ctr images ls
    ctr content ls -q | wc -l
    ctr content fetch --plain-http $BUSYBOX-none
    ctr content fetch $BUSYBOX
    ctr content fetch
    ctr content fetch-object --plain-http $BUSYBOX $MANIFEST
    ctr content fetch-object --plain-http $BUSYBOX $CONFIG
    ctr content fetch-object --plain-http $BUSYBOX sha256:abc
    ctr content fetch-object --plain-http $BUSYBOX
    ctr content fetch-object --skip-verify --plain-http --user guest:secret $LOCKED $MANIFEST
    ctr content fetch-object --plain-http --user guest:wrong $LOCKED $MANIFEST
    ctr content fetch-object --plain-http $LOCKED $MANIFEST
    ctr content fetch-object --hosts-dir . --plain-http $BUSYBOX $MANIFEST
    ctr content fetch-object --tlscacert none.pem $BUSYBOX $MANIFEST
    ctr content fetch-object --tlscert none.pem $BUSYBOX $MANIFEST
    ctr content fetch-object --tlscert none.pem --tlskey none.pem $BUSYBOX $MANIFEST
    ctr content fetch-blob --plain-http $BUSYBOX $CONFIG
    ctr content fetch-blob --plain-http $BUSYBOX $LAYER | wc -c
    ctr content fetch-blob --plain-http $BUSYBOX
    ctr content fetch-blob --plain-http $BUSYBOX sha256:abc
    ctr content push-object --plain-http $REPOSITORY:pushed $CONFIG application/vnd.oci.image.config.v1+json
    ctr content push-object --plain-http $REPOSITORY:pushed $MANIFEST application/vnd.oci.image.manifest.v1+json
    ctr content push-object --plain-http $REPOSITORY:pushed $LAYER
    ctr content push-object $REPOSITORY:pushed
    ctr content push-object --plain-http $REPOSITORY:pushed sha256:abc text/plain
    last ctr content fetch --plain-http --skip-verify --hosts-dir . --user guest:secret --http-trace $LOCKED
    last ctr content fetch --tlscacert none --tlscert none --tlskey none --refresh token --http-dump $LOCKED
    ctr content fetch-object --plain-http --http-dump --http-trace $LOCKED $MANIFEST 2>&1 | grep -q HTTP && echo dumped
    ctr content fetch-object --plain-http --refresh token $LOCKED $MANIFEST
    ctr content fetch-blob --plain-http --skip-verify --hosts-dir . --user guest:secret $LOCKED $CONFIG
    ctr content fetch-blob --tlscacert none --tlscert none --tlskey none --refresh token $LOCKED $CONFIG
    ctr content fetch-blob --plain-http --http-dump --http-trace $BUSYBOX $CONFIG 2>&1 | grep -q HTTP && echo dumped
    ctr content push-object --plain-http --skip-verify --hosts-dir . --user guest:wrong $LOCKED-a $CONFIG text/plain
    ctr content push-object --tlscacert none --tlscert none --tlskey none --refresh token $LOCKED-a $CONFIG text/plain
    ctr content push-object --plain-http --http-dump --http-trace $LOCKED-a $CONFIG text/plain 2>&1 | \\
      grep -q HTTP && echo dumped
    ctr content prune references --dry 2>&1 | grep -v debug
    ctr content prune references
    ctr content prune references --async
    ctr images rm --sync $BUSYBOX
    ctr content ls -q`,
}
