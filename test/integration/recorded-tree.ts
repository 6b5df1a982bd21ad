import { createHash } from 'node:crypto'
import type { TreeEntry } from '@nsbox/testing'

type Tree = ReadonlyMap<string, TreeEntry>

const ownerAttribute = 'user.rootlesscontainers'
const capabilities = 'security.capability'

/** What an ordinary user can make of a tree that root has: all but devices and attributes that are root's. */
export function withoutRoot(tree: Tree): Tree {
  return changed(tree, ({ device, ...entry }, attributes) => {
    for (const name of attributes.keys()) if (name.startsWith('trusted.')) attributes.delete(name)
    // An empty file stands for a device.
    return device === undefined ? entry : { ...entry, type: 'file', size: 0, content: emptyContent }
  })
}

const emptyContent = createHash('sha256').digest('hex')

/**
 * The tree that an ordinary user has unpacked, as the attributes tell it.
 *
 * @param idOf the id within the user's namespace, of one of the host
 */
export function asRecorded(tree: Tree, idOf: (kind: 'uid' | 'gid', id: number) => number): Tree {
  return changed(tree, (entry, attributes) => {
    const recorded = attributes.get(ownerAttribute)
    attributes.delete(ownerAttribute)
    const capability = attributes.get(capabilities)
    if (capability !== undefined) attributes.set(capabilities, ofAnyNamespace(capability))
    const own = { uid: idOf('uid', entry.uid), gid: idOf('gid', entry.gid) }
    return { ...entry, ...(recorded === undefined ? own : ownerIn(recorded)) }
  })
}

/** @param change may change the attributes in place */
function changed(tree: Tree, change: (entry: TreeEntry, attributes: Map<string, Buffer>) => TreeEntry): Tree {
  return new Map(
    [...tree].map(([name, { xattrs, ...entry }]) => {
      const attributes = new Map((xattrs ?? '').split(',').filter(Boolean).map(attributeIn))
      const made = change(entry, attributes)
      const texts = [...attributes].map(([name, value]) => `${name}=${value.toString('base64')}`)
      return [name, texts.length === 0 ? made : { ...made, xattrs: texts.join(',') }]
    }),
  )
}

function attributeIn(text: string): [string, Buffer] {
  const end = text.indexOf('=')
  return [text.slice(0, end), Buffer.from(text.slice(end + 1), 'base64')]
}

/** The message `Resource` of https://github.com/rootless-containers/proto: numbers of field 1, `uid`, and 2, `gid`. */
function ownerIn(message: Buffer): { uid: number; gid: number } {
  const ids = [0, 0, 0]
  for (let at = 0; at < message.length; ) {
    const field = message[at++]! >> 3
    let [value, factor] = [0, 1]
    do {
      value += (message[at]! & 127) * factor
      factor *= 128
    } while (message[at++]! & 128)
    ids[field] = value
  }
  return { uid: ids[1]!, gid: ids[2]! }
}

/** File capabilities without the user namespace whose they are: revision 3 of capabilities(7) as revision 2. */
function ofAnyNamespace(capability: Buffer): Buffer {
  const [revision2, revision3, rootId] = [2, 3, 4]
  if (capability[3] !== revision3) return capability
  const older = Buffer.from(capability.subarray(0, -rootId))
  older[3] = revision2
  return older
}
