import { NsboxError } from '@nsbox/errors'
import { defaultLayerLimits, type LayerLimits } from '../apply/layer-limits.ts'
import { opaqueXattr } from '../extract/layer-form.ts'
import type { ByteString } from '../tar/byte-string.ts'
import { padding, tarHeader } from '../tar/write-header.ts'
import type { Change } from './change.ts'
import { collectChanges } from './collect-changes.ts'
import { fileContent } from './file-content.ts'
import { markerEntry, nodeEntry } from './layer-entry.ts'
import type { LayerSource } from './layer-source.ts'
import { OpenTree } from './open-in-tree.ts'
import type { ShownNode } from './tree-node.ts'

const end = Buffer.alloc(1024)

/** Limits of the layer, as where layers are applied. The ratio is to the size of the files on the disk. */
type WriteLayerLimits = Pick<LayerLimits, 'size' | 'freeSize' | 'ratio'>

interface WriteLayerOptions {
  readonly signal?: AbortSignal | undefined
  /** By default those of applying. */
  readonly limits?: WriteLayerLimits | undefined
}

/**
 * Writes the difference of two trees as the archive of a layer: applying it to the lower tree gives the upper. The same
 * trees give the same bytes, also if the upper one is given as the topmost layer of an overlay: entries are sorted,
 * owners are numbers, and nothing depends on this machine or the present time. Neither tree may change meanwhile.
 *
 * Sockets are left out, and so are attributes that no layer can represent. Nothing is written before the trees have
 * been compared.
 *
 * @throws `failed_precondition` for nodes that no layer can represent, such as a name that begins with `.wh.`;
 * `aborted` if a file changes meanwhile; `resource_exhausted` for a larger layer than can be applied: a file with holes
 * is small on the disk but has its full size in a layer (docs/threat-model.md E15)
 */
export async function* writeLayer(
  source: LayerSource,
  options: WriteLayerOptions = {},
): AsyncGenerator<Buffer> {
  using upper = new OpenTree(source.upper)
  const changes = await changesOf(source, upper, options.signal)
  checkSize(changes, options.limits ?? defaultLayerLimits)
  const latest =
    source.sourceDateEpoch === undefined ? undefined : BigInt(Math.floor(source.sourceDateEpoch)) * 1_000_000n
  const names = new Map<string, ByteString>()
  for (const change of changes) {
    if (change.kind !== 'entry') {
      yield tarHeader(markerEntry(change))
      continue
    }
    const { path, node } = change
    const first = node.type === 'directory' ? undefined : names.get(node.identity)
    if (node.links > 1 && first === undefined) names.set(node.identity, path)
    yield tarHeader(nodeEntry(path, node, { first, latest }))
    if (node.type !== 'file' || first !== undefined) continue
    yield* fileContent(upper, path, node)
    yield padding(node.size)
  }
  yield end
}

function checkSize(changes: readonly Change[], { size: most, freeSize, ratio }: WriteLayerLimits): void {
  const files = new Map<string, ShownNode>()
  for (const change of changes)
    if (change.kind === 'entry' && change.node.type === 'file') files.set(change.node.identity, change.node)
  let [size, stored] = [0, 0]
  for (const node of files.values()) {
    size += node.size
    stored += node.stored
  }
  if (size <= most && (size <= freeSize || size <= stored * ratio)) return
  throw new NsboxError(
    'resource_exhausted',
    `a layer of files with ${size} bytes, ${stored} of them on the disk: at most ${most} are allowed, and ` +
      `${ratio} for each there`,
  )
}

async function changesOf(
  { form, lower }: LayerSource,
  upper: OpenTree,
  signal: AbortSignal | undefined,
): Promise<readonly Change[]> {
  const overlayPrefix = opaqueXattr(form)?.replace(/opaque$/, '')
  if (lower === undefined) return await collectChanges({ upper, overlayPrefix, signal })
  using below = new OpenTree(lower)
  return await collectChanges({ upper, lower: below, overlayPrefix, signal })
}
