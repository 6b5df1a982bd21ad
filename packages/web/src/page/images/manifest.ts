/** Something in a content store. */
export interface Part {
  readonly digest: string
  readonly mediaType: string
  readonly size: number
  /** `linux/amd64`, of a manifest in an index. */
  readonly platform?: string | undefined
}

/** Most parts taken of a document. */
const mostParts = 1_000

/** What an index leads to; undefined for what is no index. */
export function manifestsOf(document: unknown): Part[] | undefined {
  return partsOf(document, 'manifests')
}

/** The layers of a manifest from the base up; undefined for what is no manifest. */
export function layersOf(document: unknown): Part[] | undefined {
  return partsOf(document, 'layers')
}

function partsOf(document: unknown, field: 'manifests' | 'layers'): Part[] | undefined {
  const list = isObject(document) ? document[field] : undefined
  if (!Array.isArray(list)) return undefined
  return list.slice(0, mostParts).flatMap((entry: unknown) => {
    if (!isObject(entry)) return []
    const { digest, mediaType, size, platform } = entry
    if (typeof digest !== 'string' || typeof size !== 'number' || !(size >= 0)) return []
    return [{ digest, mediaType: String(mediaType ?? ''), size, platform: platformText(platform) }]
  })
}

function platformText(platform: unknown): string | undefined {
  if (!isObject(platform)) return undefined
  return [platform.os, platform.architecture, platform.variant].filter(Boolean).map(String).join('/')
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
