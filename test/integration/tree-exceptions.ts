import type { TreeEntry } from '@nsbox/testing'

type Tree = ReadonlyMap<string, TreeEntry>
/** Whose tree ours is compared with; `nsbox` is our own, unpacked in another way. */
export type Peer = 'containerd' | 'umoci' | 'nsbox'

/** Where a peer unpacks something else than we do, and why that is so. */
interface TreeException {
  readonly reason: string
  readonly peers: readonly Peer[]
  readonly fields: readonly (keyof TreeEntry)[]
  /** Whether it is about an entry that both trees have. */
  readonly concerns: (name: string, ours: TreeEntry, theirs: TreeEntry) => boolean
}

/** Nanoseconds of 1970 and of the end of what Go's 64 bits of them can say. */
const epoch = 0n
const lastNanosecond = 2n ** 63n - 1n

/**
 * @param began before anything was unpacked
 * @returns all that there are
 */
export function treeExceptions(began: Date): readonly TreeException[] {
  const start = BigInt(began.getTime()) * 1_000_000n
  return [
    {
      reason: 'a directory that a layer changes, and has no entry of, has the time of unpacking',
      peers: ['containerd', 'umoci', 'nsbox'],
      fields: ['mtime'],
      concerns: (_name, ours, theirs) => ours.type === 'directory' && BigInt(theirs.mtime) >= start,
    },
    {
      reason: 'umoci makes the root directory with time 0, where no layer has an entry of it',
      peers: ['umoci'],
      fields: ['mtime'],
      concerns: (name, ours, theirs) => name === '.' && BigInt(ours.mtime) >= start && theirs.mtime === '0',
    },
    {
      reason: 'containerd leaves out entries of the root directory',
      peers: ['containerd'],
      fields: ['mode'],
      concerns: (name) => name === '.',
    },
    {
      reason: 'containerd takes 1970 for times that it cannot express, umoci wraps them',
      peers: ['containerd', 'umoci'],
      fields: ['mtime'],
      concerns: (_name, { mtime }) => BigInt(mtime) < epoch || BigInt(mtime) > lastNanosecond,
    },
    {
      reason: 'containerd takes no trusted attributes from layers',
      peers: ['containerd'],
      fields: ['xattrs'],
      concerns: (_name, ours, theirs) => withoutTrusted(ours) === (theirs.xattrs ?? ''),
    },
    {
      reason:
        'containerd gives a directory without an entry the attributes of one that an opaque directory hides',
      peers: ['containerd'],
      fields: ['uid', 'gid'],
      concerns: (name) => name === 'usr/share/doc/set-2/p\u00c3\u00a4ckage-1',
    },
  ]
}

function withoutTrusted({ xattrs = '' }: TreeEntry): string {
  return xattrs
    .split(',')
    .filter((attribute) => !attribute.startsWith('trusted.'))
    .join(',')
}

/**
 * What `compareTrees` is to ignore between our tree and another program's.
 *
 * @param onUse told the reason of each exception that was needed
 */
export function exceptionsFor(
  peer: Peer,
  { ours, theirs, began, onUse }: { ours: Tree; theirs: Tree; began: Date; onUse: (reason: string) => void },
): (name: string, field: keyof TreeEntry) => boolean {
  const exceptions = treeExceptions(began).filter(({ peers }) => peers.includes(peer))
  return (name, field) => {
    const [mine, other] = [ours.get(name), theirs.get(name)]
    if (mine === undefined || other === undefined) return false
    const found = exceptions.find(
      ({ fields, concerns }) => fields.includes(field) && concerns(name, mine, other),
    )
    if (found !== undefined) onUse(found.reason)
    return found !== undefined
  }
}
