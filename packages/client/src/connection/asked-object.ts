import type { DescMethod } from '@bufbuild/protobuf'
import { isNsboxError, NsboxError } from '@nsbox/errors'

/** The kinds of objects that a namespace has, and that calls ask for by an id. */
export const objectKinds = ['container', 'image', 'task', 'snapshot', 'content', 'lease'] as const

/** An object that a call asked for. */
export interface AskedObject {
  readonly kind: (typeof objectKinds)[number]
  readonly id: string
  /** Empty for all but snapshots. */
  readonly snapshotter: string
}

/** Where the requests of a service have the id: the names of fields, of which the first that is not empty counts. */
const ids: Readonly<Record<string, readonly [AskedObject['kind'], ...string[]]>> = {
  'containerd.services.containers.v1.Containers': ['container', 'id', 'container.id'],
  'containerd.services.images.v1.Images': ['image', 'name', 'image.name'],
  'containerd.services.tasks.v1.Tasks': ['task', 'containerId'],
  'containerd.services.snapshots.v1.Snapshots': ['snapshot', 'parent', 'key', 'info.name'],
  'containerd.services.content.v1.Content': ['content', 'digest', 'info.digest'],
  'containerd.services.leases.v1.Leases': ['lease', 'id', 'lease.id'],
}

/**
 * The error of a call, which tells in its details what was asked for if that was not found: `askedKind`, `askedId` and
 * `askedSnapshotter`.
 */
export function tellingWhatWasAsked(error: unknown, { parent }: DescMethod, request: object): unknown {
  if (!isNsboxError(error) || error.code !== 'not_found') return error
  const [kind, ...paths] = ids[parent.typeName] ?? []
  const id = paths.map((path) => textAt(request, path)).find((text) => text !== '')
  if (kind === undefined || id === undefined) return error
  const asked = { askedKind: kind, askedId: id, askedSnapshotter: textAt(request, 'snapshotter') }
  return new NsboxError(error.code, error.context, {
    cause: error.cause,
    details: { ...error.details, ...asked },
  })
}

/** What a call asked for in vain. @returns undefined for other errors */
export function askedObject(error: unknown): AskedObject | undefined {
  if (!isNsboxError(error)) return undefined
  const { askedKind, askedId, askedSnapshotter } = error.details
  const kind = objectKinds.find((each) => each === askedKind)
  if (kind === undefined || typeof askedId !== 'string') return undefined
  return { kind, id: askedId, snapshotter: String(askedSnapshotter) }
}

function textAt(message: object, path: string): string {
  let value: unknown = message
  for (const name of path.split('.')) value = (value as Record<string, unknown> | undefined)?.[name]
  return typeof value === 'string' ? value : ''
}
