import { gunzipSync } from 'node:zlib'
import { type ContentStore, readBlob } from '@nsbox/core/content'
import type { Descriptor } from '@nsbox/oci'

/** The names in a small layer, in its order, without extended headers; gzip or plain. */
export async function layerNames(content: ContentStore, layer: Descriptor): Promise<string[]> {
  const archive = await layerArchive(content, layer)
  const names: string[] = []
  for (let at = 0; at + 512 <= archive.length && archive[at] !== 0; ) {
    const size = Number.parseInt(archive.toString('latin1', at + 124, at + 135), 8)
    const type = String.fromCharCode(archive[at + 156]!)
    const name = archive.toString('utf8', at, at + 100).replace(/\0.*/s, '')
    // The tests' own names fit into the plain header; extended headers hold times and other fields.
    if (type !== 'x' && type !== 'g') names.push(name.replace(/^\.\/|\/$/g, ''))
    at += 512 + Math.ceil(size / 512) * 512
  }
  return names
}

/** The bytes of a small layer before compression. */
export async function layerArchive(content: ContentStore, layer: Descriptor): Promise<Buffer> {
  const bytes = Buffer.from(await readBlob(content, layer, { limit: 1 << 20 }))
  return bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes
}
