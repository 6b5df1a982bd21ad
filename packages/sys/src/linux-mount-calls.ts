import { isNsboxError, NsboxError } from '@nsbox/errors'
import { libcFunction, libcFunctionInThread, linuxSystemCall } from './libc.ts'
import type { MountCalls } from './mount-calls.ts'
import { AT_FDCWD } from './mount-flags.ts'
import { openAgain } from './open-again.ts'

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

const mount = libcFunction(
  'int mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data)',
)
const umount2 = libcFunctionInThread('int umount2(const void *target, int flags)')
const openTree = linuxSystemCall('open_tree', 428, ['int', 'const char *', 'unsigned int'])
const moveMount = linuxSystemCall('move_mount', 429, [
  'int',
  'const char *',
  'int',
  'const char *',
  'unsigned int',
])
const fsopen = linuxSystemCall('fsopen', 430, ['const char *', 'unsigned int'])
const fsconfig = linuxSystemCall('fsconfig', 431, [
  'int',
  'unsigned int',
  'const char *',
  'const char *',
  'int',
])
const fsmount = linuxSystemCall('fsmount', 432, ['int', 'unsigned int', 'unsigned int'])
const openat2 = linuxSystemCall('openat2', 437, ['int', 'const void *', 'const void *', 'size_t'])
const mountSetattr = linuxSystemCall('mount_setattr', 442, [
  'int',
  'const char *',
  'unsigned int',
  'const void *',
  'size_t',
])

/** The calls of Linux that make and end mounts. */
export const linuxMountCalls: MountCalls = {
  mount(source, target, type, flags, data) {
    mount(source, target, type, flags, data)
  },
  async umount2(target, flags) {
    await umount2(cString(target), flags)
  },
  fsopen: (type) => fsopen(type, FSOPEN_CLOEXEC),
  fsconfigFlag(context, key) {
    fsconfig(context, FSCONFIG_SET_FLAG, key, null, 0)
  },
  fsconfigString(context, key, value) {
    fsconfig(context, FSCONFIG_SET_STRING, key, value, 0)
  },
  fsconfigCreate(context) {
    fsconfig(context, FSCONFIG_CMD_CREATE, null, null, 0)
  },
  fsmount: (context, attributes) => fsmount(context, FSMOUNT_CLOEXEC, attributes),
  openTreeClone: (path, recursive) =>
    openTree(AT_FDCWD, path, OPEN_TREE_CLONE | O_CLOEXEC | (recursive ? AT_RECURSIVE : 0)),
  moveMount(mounted, target) {
    moveMount(mounted, '', target, '', MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH)
  },
  mountSetattr(mounted, { set = 0, clear = 0, propagation = 0, recursive = false }) {
    // struct mount_attr: set, clear, propagation, descriptor of a user namespace.
    const attributes = BigUint64Array.of(BigInt(set), BigInt(clear), BigInt(propagation), 0n)
    const flags = AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0)
    mountSetattr(mounted, '', flags, attributes, attributes.byteLength)
  },
  openat2(directory, path, flags, resolve) {
    // struct open_how: flags, mode, resolve.
    const how = BigUint64Array.of(BigInt(flags | O_CLOEXEC), 0n, BigInt(resolve))
    const name = cString(path)
    const opened = openAgain(
      () => attempted(() => openat2(directory, name, how, how.byteLength)),
      (result) => isNsboxError(result) && result.details.errno === 'EAGAIN',
    )
    if (typeof opened === 'number') return opened
    throw opened
  },
}

/** What a call returned, or its error. */
function attempted(call: () => number): unknown {
  try {
    return call()
  } catch (error) {
    return error
  }
}

/**
 * A path for a parameter that takes bytes; a string is passed on for the check that all strings go through.
 */
function cString(path: string | Uint8Array): string | Uint8Array {
  if (typeof path === 'string') return path
  if (path.includes(0)) throw new NsboxError('invalid_argument', 'path with a NUL')
  return Buffer.concat([path, Buffer.of(0)])
}
