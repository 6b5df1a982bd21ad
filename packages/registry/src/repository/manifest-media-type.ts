import { runYielding } from '@nsbox/concurrency'
import { isIndex, isManifest, type JsonObject, mediaTypes, strictJsonSteps } from '@nsbox/oci'

/**
 * The media type of a document. `Content-Type` may be wrong, as static file servers guess it: the document's own
 * `mediaType` counts first, then its shape, then the header.
 *
 * @param header its media type, without parameters
 * @returns undefined if neither the document nor the header tells it
 * @throws `invalid_argument` for a document that is no JSON, or could be read as an index and as a manifest
 * (docs/threat-model.md B01)
 */
export async function manifestMediaType(
  bytes: Uint8Array,
  header: string | undefined,
  context: string,
): Promise<string | undefined> {
  if (header !== undefined && (isManifest(header) || isIndex(header))) return header
  const json = await runYielding(strictJsonSteps(bytes, context))
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return undefined
  if (typeof json.mediaType === 'string' && json.mediaType !== '') return json.mediaType
  return shapeOf(json) ?? header
}

function shapeOf(document: JsonObject): string | undefined {
  if (document.schemaVersion !== 2) return undefined
  const lists = Array.isArray(document.manifests)
  const describes = Array.isArray(document.layers) && 'config' in document
  if (lists === describes) return undefined
  return lists ? mediaTypes.ociIndex : mediaTypes.ociManifest
}
