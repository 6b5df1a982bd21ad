import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { type FaultServer, rawEntry, rawTar } from '@nsbox/testing'

/** Layers enough for what a pull does for each of many to be done often. */
const layers = 12

const digest = (bytes: Uint8Array) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`

/**
 * Serves an image of a few layers with entries of every common kind.
 * @returns its reference
 */
export function serveSmallImage(server: FaultServer): string {
  const kind = 'application/vnd.oci.image'
  const serve = (what: string, type: string, body: Uint8Array) => {
    const reply = { headers: { 'content-type': type, 'docker-content-digest': digest(body) }, body }
    for (const method of ['GET', 'HEAD']) server.on(method, `/v2/small/${what}`, reply)
  }
  const blob = (mediaType: string, bytes: Uint8Array) => {
    serve(`blobs/${digest(bytes)}`, 'application/octet-stream', bytes)
    return { mediaType, digest: digest(bytes), size: bytes.length }
  }
  const manifest = (type: string, document: object) => {
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: type, ...document }))
    serve(`manifests/${digest(bytes)}`, type, bytes)
    return { mediaType: type, digest: digest(bytes), size: bytes.length, bytes }
  }
  const archives = Array.from({ length: layers }, (_, number) => archive(number))
  const platform = { architecture: process.arch === 'x64' ? 'amd64' : process.arch, os: 'linux' }
  const config = { ...platform, rootfs: { type: 'layers', diff_ids: archives.map(digest) } }
  const image = manifest(`${kind}.manifest.v1+json`, {
    config: blob(`${kind}.config.v1+json`, Buffer.from(JSON.stringify(config))),
    layers: archives.map((bytes) => blob(`${kind}.layer.v1.tar+gzip`, gzipSync(bytes))),
  })
  const { bytes: _, ...descriptor } = image
  const index = manifest(`${kind}.index.v1+json`, { manifests: [{ ...descriptor, platform }] })
  serve('manifests/1', index.mediaType, index.bytes)
  return `${server.host}/small:1`
}

function archive(number: number): Uint8Array {
  const directory = `usr/share/${number}`
  const files = Array.from({ length: 40 }, (_, file) =>
    rawEntry({ name: `${directory}/file-${file}`, content: Buffer.alloc(1000 * file, `${number} ${file} `) }),
  )
  return rawTar(
    rawEntry({ name: `${directory}/`, type: '5', mode: 0o755 }),
    ...files,
    rawEntry({ name: `${directory}/link`, type: '2', linkName: 'file-1' }),
    rawEntry({ name: `${directory}/same`, type: '1', linkName: `${directory}/file-1` }),
    ...(number === 0 ? [] : [rawEntry({ name: `usr/share/${number - 1}/.wh.file-1` })]),
  )
}
