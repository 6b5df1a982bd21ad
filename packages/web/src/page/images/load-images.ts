import { timestampMs } from '@bufbuild/protobuf/wkt'
import type { Image } from '@nsbox/api/gen/services/images/v1/images_pb'
import { images, isNotFound, within } from '../connection/calls.ts'
import { inChosen } from '../connection/namespace-choice.ts'
import { layersOf, manifestsOf, type Part } from './manifest.ts'
import { readJson } from './read-json.ts'

/** An image, and what it is made of. */
export interface ListedImage {
  readonly namespace: string
  readonly name: string
  readonly digest: string
  /** Milliseconds since 1970. */
  readonly createdAt: number | undefined
  /** Of the platform below, from the base up; empty if its manifest is not here or has none. */
  readonly layers: readonly Part[]
  /** `linux/amd64`; of an index, the first whose manifest is here. */
  readonly platform: string | undefined
}

/** The images of the chosen namespaces. */
export async function loadImages(signal: AbortSignal): Promise<ListedImage[]> {
  return await inChosen(signal, async (namespace) => {
    const { images: listed } = await images.list({}, within(namespace, { signal }))
    const read: ListedImage[] = []
    for (const image of listed) read.push(await withLayers(namespace, image, signal))
    return read
  })
}

async function withLayers(
  namespace: string,
  { name, target, createdAt }: Image,
  signal: AbortSignal,
): Promise<ListedImage> {
  const digest = target?.digest ?? ''
  const found = digest === '' ? undefined : await findLayers(namespace, { digest }, signal, 0)
  return {
    ...{ namespace, name, digest },
    createdAt: createdAt && timestampMs(createdAt),
    layers: found?.layers ?? [],
    platform: found?.platform,
  }
}

interface Found {
  readonly layers: readonly Part[]
  readonly platform: string | undefined
}

/** Deepest nesting of indexes that is followed. */
const mostDepth = 3

/** Most manifests of an index that are tried. */
const mostTried = 16

async function findLayers(
  namespace: string,
  { digest, platform }: Pick<Part, 'digest' | 'platform'>,
  signal: AbortSignal,
  depth: number,
): Promise<Found | undefined> {
  let document: unknown
  try {
    document = await readJson(namespace, digest, signal)
  } catch (error) {
    // An index names manifests of platforms that are not here; and what is no JSON has no layers.
    if (isNotFound(error) || error instanceof SyntaxError) return undefined
    throw error
  }
  const layers = layersOf(document)
  if (layers !== undefined) return { layers, platform }
  // Attestations of BuildKit have the platform `unknown/unknown`.
  const manifests = (manifestsOf(document) ?? []).filter((part) => part.platform !== 'unknown/unknown')
  if (depth === mostDepth) return undefined
  for (const manifest of manifests.slice(0, mostTried)) {
    const found = await findLayers(namespace, manifest, signal, depth + 1)
    if (found !== undefined) return found
  }
  return undefined
}
