// A subpath without native code, so that `@nsbox/mount/overlay` has none either.
import { MOUNT_ATTR, MS } from '@nsbox/sys/mount-flags'

/** Attributes of a single mount, not of its file system. An absent one stays as it is. */
export interface MountAttributes {
  readonly readOnly?: boolean
  readonly noSuid?: boolean
  readonly noDev?: boolean
  readonly noExec?: boolean
  readonly noDirAtime?: boolean
  readonly noSymFollow?: boolean
  readonly atime?: 'relative' | 'never' | 'strict'
}

/** The words for attributes, in options and in the mount table. */
export const attributeWords: ReadonlyMap<string, MountAttributes> = new Map<string, MountAttributes>([
  ['ro', { readOnly: true }],
  ['rw', { readOnly: false }],
  ['nosuid', { noSuid: true }],
  ['suid', { noSuid: false }],
  ['nodev', { noDev: true }],
  ['dev', { noDev: false }],
  ['noexec', { noExec: true }],
  ['exec', { noExec: false }],
  ['nodiratime', { noDirAtime: true }],
  ['diratime', { noDirAtime: false }],
  ['nosymfollow', { noSymFollow: true }],
  ['symfollow', { noSymFollow: false }],
  ['noatime', { atime: 'never' }],
  ['strictatime', { atime: 'strict' }],
  ['relatime', { atime: 'relative' }],
  // Each negates another word. `relatime` is the kernel's default.
  ['atime', { atime: 'relative' }],
  ['norelatime', { atime: 'relative' }],
  ['nostrictatime', { atime: 'relative' }],
])

const switches = [
  ['readOnly', MOUNT_ATTR.RDONLY, MS.RDONLY],
  ['noSuid', MOUNT_ATTR.NOSUID, MS.NOSUID],
  ['noDev', MOUNT_ATTR.NODEV, MS.NODEV],
  ['noExec', MOUNT_ATTR.NOEXEC, MS.NOEXEC],
  ['noDirAtime', MOUNT_ATTR.NODIRATIME, MS.NODIRATIME],
  ['noSymFollow', MOUNT_ATTR.NOSYMFOLLOW, MS.NOSYMFOLLOW],
] as const

const atimes = {
  relative: { attribute: 0, flag: MS.RELATIME },
  never: { attribute: MOUNT_ATTR.NOATIME, flag: MS.NOATIME },
  strict: { attribute: MOUNT_ATTR.STRICTATIME, flag: MS.STRICTATIME },
} as const

/** A change as mount_setattr(2) takes it; `set` alone is what fsmount(2) takes. */
export function attributeChange(attributes: MountAttributes): { set: number; clear: number } {
  let set = 0
  let clear = 0
  for (const [name, attribute] of switches) {
    if (attributes[name] === true) set |= attribute
    if (attributes[name] === false) clear |= attribute
  }
  if (attributes.atime !== undefined) {
    set |= atimes[attributes.atime].attribute
    clear |= MOUNT_ATTR.ATIME
  }
  return { set, clear }
}

/** All attributes as flags of mount(2), which takes what is absent for false. */
export function attributeFlags(attributes: MountAttributes): number {
  let flags = attributes.atime === undefined ? 0 : atimes[attributes.atime].flag
  for (const [name, , flag] of switches) if (attributes[name] === true) flags |= flag
  return flags
}

/** The attributes that the options of a mount in the mount table stand for. */
export function attributesInTable(options: readonly string[]): MountAttributes {
  // The table has no word for `strict`.
  return Object.assign({ atime: 'strict' }, ...options.map((option) => attributeWords.get(option)))
}
