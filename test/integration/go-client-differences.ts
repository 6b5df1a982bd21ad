/** What a state forbids has a code of its own here, and is an unknown error there, with the same text. */
const stateCode = 'what the state forbids is failed_precondition, and not an unknown error'
/** See `execDeleteEvent` in the claims of the tasks suite. */
const execDeletion = 'the deletion of an exec is told as well'
const spec = 'a container without a spec could never run; containerd has the same check, and misses it'
const extension = 'an extension that an update does not give is removed, and does not stay as an empty value'
const expected = 'the digest that an ingest is to have is told'
const root = 'the root directory is an entry of its own, so that its mode and owner are kept'
const moreTypes = 'layers are made for Docker’s media types and with zstd as well'
const imageLease = 'a lease can hold an image'
const rebase = 'a snapshot can be given its parent when it is committed'
const badArchive = 'bytes that are no archive are data_loss, and not an unknown error'
const nameless =
  'an import that would give no image a name is refused, since nothing would hold what it brings'
const pairs = 'an image can be copied from a registry to a registry'

/**
 * Where a client sees something else from nsbox-server than from containerd, and why: the scenarios of `go-client`, and
 * in each the steps. A step that is told several times has a number from the second on. What is not listed is the same.
 */
export const differences: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  containers: {
    'create again': 'it is looked at as a whole before its id is: the second has no spec',
    'create without a spec': spec,
    'delete no-spec': spec,
    list: spec,
    'list runtime.name==io.containerd.runc.v2': spec,
    'what path extensions.example came to': extension,
    'what path image came to': extension,
  },
  content: { ingests: expected, 'ingests by a filter': expected },
  diffs: {
    'apply what has another media type': 'it is unimplemented, and not an unknown error',
    'compare to application/vnd.docker.image.rootfs.diff.tar.gzip': moreTypes,
    'compare to application/vnd.docker.image.rootfs.diff.tar.gzip: info': moreTypes,
    'compare to application/vnd.docker.image.rootfs.diff.tar.gzip: read': moreTypes,
    'compare to application/vnd.oci.image.layer.v1.tar': root,
    'compare to application/vnd.oci.image.layer.v1.tar+gzip': root,
    'compare to application/vnd.oci.image.layer.v1.tar+zstd': moreTypes,
    'compare to application/vnd.oci.image.layer.v1.tar+zstd: info': moreTypes,
    'compare to application/vnd.oci.image.layer.v1.tar+zstd: read': moreTypes,
    'compare with nothing': root,
    'diff of a snapshot': root,
  },
  events: {
    all: execDeletion,
    'ends of tasks': execDeletion,
    'of one container': execDeletion,
    'subscribe by a filter that is none': 'it is invalid_argument, and not an unknown error',
  },
  execs: { 'exec in what has ended': stateCode, 'start it again': stateCode },
  introspection: {
    'capabilities of a snapshotter': rebase,
    'plugins type==io.containerd.content.v1': 'the directory of blobs is nobody else’s, and is not told',
    'plugins type==io.containerd.snapshotter.v1,id==overlayfs': rebase,
  },
  leases: {
    'add images some image': imageLease,
    'remove one of a type that there is not': imageLease,
    resources: imageLease,
    'resources that are left': imageLease,
  },
  namespaces: { 'set a label that is too long': 'it is invalid_argument, and not an unknown error' },
  sandboxes: { 'delete again': 'it is not_found, and not an unknown error' },
  snapshots: {
    'clean up': 'snapshotters clean up',
    'prepare without a name': 'it is invalid_argument, and not an unknown error',
  },
  tasks: {
    'exec in what is paused': stateCode,
    'pause again': 'pausing what is paused does nothing',
    'pause what is not started': stateCode,
    'resume again': 'resuming what runs does nothing',
    'send a signal that there is not': 'it is invalid_argument, and not an unknown error',
    'start again': stateCode,
  },
  transfers: {
    'from a registry to a registry': pairs,
    'from a registry to a registry: events of its progress': pairs,
    import: nameless,
    'import and unpack: events of its progress': 'the progress of unpacking is told',
    'import nothing': badArchive,
    'import what is no archive': badArchive,
    'import: events of its progress': nameless,
  },
}
