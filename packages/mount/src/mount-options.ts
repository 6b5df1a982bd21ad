import { NsboxError } from '@nsbox/errors'
import { MS } from '@nsbox/sys/mount-flags'
import { attributeWords, type MountAttributes } from './mount-attributes.ts'

/** How mounts below a mount spread to its copies in other namespaces and at other places. */
export type PropagationKind = 'shared' | 'slave' | 'private' | 'unbindable'

/** An option for the file system itself: a switch, or a key with its value. */
export interface FileSystemOption {
  readonly key: string
  readonly value?: string
}

/** The parsed options of a mount. */
export interface ParsedMountOptions {
  /** Bind mount, alone or with the mounts below it. */
  readonly bind?: 'single' | 'recursive'
  /** Whether to change an existing mount instead of making one. */
  readonly remount: boolean
  /** Attributes of the mount. */
  readonly attributes: MountAttributes
  readonly propagation?: { readonly kind: PropagationKind; readonly recursive: boolean }
  /** Switches of the file system that the kernel knows for all of them: `ro`, `sync`, `lazytime`, … */
  readonly superblock: readonly string[]
  /** All other options, which are passed to the file system. */
  readonly fileSystem: readonly FileSystemOption[]
}

/** The flag that stands for a kind of propagation in mount(2) and mount_setattr(2). */
export const propagationFlags: Readonly<Record<PropagationKind, number>> = {
  shared: MS.SHARED,
  slave: MS.SLAVE,
  private: MS.PRIVATE,
  unbindable: MS.UNBINDABLE,
}

const propagationWords = new Map<string, ParsedMountOptions['propagation']>()
for (const kind of Object.keys(propagationFlags) as PropagationKind[]) {
  propagationWords.set(kind, { kind, recursive: false })
  propagationWords.set(`r${kind}`, { kind, recursive: true })
}

/** Switches of all file systems, with the flags of mount(2) to set, or by a negative number those to keep. */
export const superblockFlags: ReadonlyMap<string, number> = new Map([
  // Attributes of the mount as well, which have the flag.
  ['ro', 0],
  ['rw', 0],
  ['sync', MS.SYNCHRONOUS],
  ['dirsync', MS.DIRSYNC],
  ['lazytime', MS.LAZYTIME],
  ['mand', MS.MANDLOCK],
  ['async', ~MS.SYNCHRONOUS],
  ['nolazytime', ~MS.LAZYTIME],
  ['nomand', ~MS.MANDLOCK],
])

/**
 * Reads the options of a mount. Known words are `ro rw nosuid suid nodev dev noexec exec nodiratime diratime
 * nosymfollow symfollow`, `noatime strictatime relatime` and their opposites, `bind rbind remount`, `shared slave
 * private unbindable` and each with an `r` before it for the whole tree, `sync async dirsync lazytime nolazytime mand
 * nomand` and `defaults`; of contradictory ones the last counts. All others are passed to the file system, except for
 * `loop`, which mounts a file by a loop device.
 *
 * @throws `invalid_argument` for an option that is empty, has no key or has a NUL
 */
export function parseMountOptions(options: readonly string[]): ParsedMountOptions {
  let bind: ParsedMountOptions['bind']
  let remount = false
  let attributes: MountAttributes = {}
  let propagation: ParsedMountOptions['propagation']
  const superblock: string[] = []
  const fileSystem: FileSystemOption[] = []
  for (const option of options) {
    const attribute = attributeWords.get(option)
    const spread = propagationWords.get(option)
    if (attribute !== undefined) attributes = { ...attributes, ...attribute }
    if (superblockFlags.has(option)) superblock.push(option)
    if (attribute !== undefined || superblockFlags.has(option) || option === 'defaults') continue
    if (option === 'bind') bind ??= 'single'
    else if (option === 'rbind') bind = 'recursive'
    else if (option === 'remount') remount = true
    else if (spread !== undefined) propagation = spread
    else fileSystem.push(fileSystemOption(option))
  }
  return {
    remount,
    attributes,
    superblock,
    fileSystem,
    ...(bind === undefined ? {} : { bind }),
    ...(propagation === undefined ? {} : { propagation }),
  }
}

function fileSystemOption(option: string): FileSystemOption {
  const equals = option.indexOf('=')
  const key = equals === -1 ? option : option.slice(0, equals)
  if (key === '' || option.includes('\0'))
    throw new NsboxError('invalid_argument', `mount option ${JSON.stringify(option)}`)
  return equals === -1 ? { key } : { key, value: option.slice(equals + 1) }
}
