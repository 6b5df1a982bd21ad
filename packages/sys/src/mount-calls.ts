import { CFunction, type CText } from './c-function.ts'
import { AT_FDCWD } from './mount-flags.ts'
import { openAgain } from './open-again.ts'

// Calls that make and end mounts. Returned descriptors are closed on exec and belong to the caller; an error has its
// name in the detail `errno`.

const AT_EMPTY_PATH = 0x1000
const AT_RECURSIVE = 0x8000
const O_CLOEXEC = 0o2000000
const OPEN_TREE_CLONE = 1
const FSOPEN_CLOEXEC = 1
const FSMOUNT_CLOEXEC = 1
const FSCONFIG_SET_FLAG = 0
const FSCONFIG_SET_STRING = 1
const FSCONFIG_CMD_CREATE = 6
const MOVE_MOUNT_F_EMPTY_PATH = 0x04
const MOVE_MOUNT_T_EMPTY_PATH = 0x40

const calls = {
  mount: new CFunction(
    'int mount(const char *source, const char *path, const char *type, ulong flags, const char *data)',
  ),
  umount2: new CFunction('int umount2(const char *path, int flags)'),
  openTree: new CFunction('long open_tree(int directory, const char *path, uint flags)', { systemCall: 428 }),
  moveMount: new CFunction(
    'long move_mount(int from, const char *name, int to, const char *target, uint flags)',
    { systemCall: 429 },
  ),
  fsopen: new CFunction('long fsopen(const char *type, uint flags)', { systemCall: 430 }),
  fsconfig: new CFunction(
    'long fsconfig(int context, uint command, const char *key, const char *value, int extra)',
    { systemCall: 431 },
  ),
  fsmount: new CFunction('long fsmount(int context, uint flags, uint attributes)', { systemCall: 432 }),
  openat2: new CFunction('long openat2(int directory, const char *path, const void *how, size_t size)', {
    systemCall: 437,
  }),
  mountSetattr: new CFunction(
    'long mount_setattr(int directory, const char *name, uint flags, const void *attributes, size_t size)',
    { systemCall: 442 },
  ),
}

/** A change by `mount_setattr`; flags are of `MOUNT_ATTR`. */
export interface MountAttributes {
  readonly set?: number
  /** Flags to clear first. To change the handling of access times, clear `MOUNT_ATTR.ATIME` and set one of them. */
  readonly clear?: number
  /** One of `MS.SHARED`, `MS.SLAVE`, `MS.PRIVATE`, `MS.UNBINDABLE`. */
  readonly propagation?: number
  /** Whether to change all mounts of the tree; false by default. */
  readonly recursive?: boolean
}

/** mount(2). Flags are of `MS`; null is the null pointer. */
export function mount(
  source: string | null,
  target: string,
  type: string | null,
  flags: number,
  data: string | null,
): void {
  calls.mount.callOrThrow(source, target, type, flags, data)
}

/**
 * umount2(2), in a thread: unless flags say otherwise it writes back data of the file system. Flags are of `UMOUNT`.
 *
 * @param target as bytes, without a final NUL, where a path is no UTF-8
 */
export async function umount2(target: CText, flags: number): Promise<void> {
  calls.umount2.succeeded(await calls.umount2.callInThread(target, flags), target)
}

/** fsopen(2), Linux 5.2. @returns a descriptor of a file system context, from which its messages can be read */
export function fsopen(type: string): number {
  return calls.fsopen.callOrThrow(type, FSOPEN_CLOEXEC)
}

/** fsconfig(2), `FSCONFIG_SET_FLAG`. */
export function fsconfigFlag(context: number, key: string): void {
  calls.fsconfig.callOrThrow(context, FSCONFIG_SET_FLAG, key, null, 0)
}

/** fsconfig(2), `FSCONFIG_SET_STRING`. The value has at most 255 bytes. */
export function fsconfigString(context: number, key: string, value: string): void {
  calls.fsconfig.callOrThrow(context, FSCONFIG_SET_STRING, key, value, 0)
}

/** fsconfig(2), `FSCONFIG_CMD_CREATE`. */
export function fsconfigCreate(context: number): void {
  calls.fsconfig.callOrThrow(context, FSCONFIG_CMD_CREATE, null, null, 0)
}

/** fsmount(2). Attributes are of `MOUNT_ATTR`. @returns a descriptor of a detached mount */
export function fsmount(context: number, attributes: number): number {
  return calls.fsmount.callOrThrow(context, FSMOUNT_CLOEXEC, attributes)
}

/**
 * open_tree(2) with `OPEN_TREE_CLONE`, Linux 5.2: the first step of a bind mount.
 *
 * @param recursive whether to include the mounts below
 * @returns a descriptor of a detached mount
 */
export function openTreeClone(path: string, recursive: boolean): number {
  return calls.openTree.callOrThrow(
    AT_FDCWD,
    path,
    OPEN_TREE_CLONE | O_CLOEXEC | (recursive ? AT_RECURSIVE : 0),
  )
}

/** move_mount(2). Attaches a mount at an open file or directory; its descriptor may be one with `O_PATH`. */
export function moveMount(mounted: number, target: number): void {
  calls.moveMount.callOrThrow(mounted, '', target, '', MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH)
}

/** mount_setattr(2), Linux 5.12. */
export function mountSetattr(
  mounted: number,
  { set = 0, clear = 0, propagation = 0, recursive = false }: MountAttributes,
): void {
  // struct mount_attr: set, clear, propagation, descriptor of a user namespace.
  const attributes = BigUint64Array.of(BigInt(set), BigInt(clear), BigInt(propagation), 0n)
  const flags = AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0)
  calls.mountSetattr.callOrThrow(mounted, '', flags, attributes, attributes.byteLength)
}

/**
 * openat2(2), Linux 5.6.
 *
 * @param directory a descriptor, or `AT_FDCWD`
 * @param path as bytes, without a final NUL, where it is no UTF-8
 * @param flags of `fs.constants`, and `O_PATH`
 * @param resolve of `RESOLVE`
 */
export function openat2(directory: number, path: CText, flags: number, resolve: number): number {
  // struct open_how: flags, mode, resolve.
  const how = BigUint64Array.of(BigInt(flags | O_CLOEXEC), 0n, BigInt(resolve))
  const opened = openAgain(() => calls.openat2.call(directory, path, how, how.byteLength))
  return calls.openat2.succeeded(opened, path)
}
