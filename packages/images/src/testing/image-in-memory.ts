import { gzipSync } from 'node:zlib'
import type { Remote } from '@nsbox/core/transfer'
import { NsboxError } from '@nsbox/errors'
import { type Descriptor, type Digest, digestOf, mediaTypes } from '@nsbox/oci'
import { type RawHeader, rawEntry, rawTar } from '@nsbox/testing'

/** A layer of a test image: its entries, or its archive, which may be invalid. */
export interface LayerInMemory {
  readonly entries: readonly RawHeader[] | Uint8Array
  /** Gzip by default. */
  readonly mediaType?: string
  /** The diff id in the config; the correct one by default. */
  readonly diffId?: Digest
  readonly annotations?: Readonly<Record<string, string>>
}

export interface ImageInMemory {
  readonly target: Descriptor
  readonly config: Descriptor
  readonly layers: readonly (Descriptor & { readonly diffId: Digest; readonly tar: Buffer })[]
  readonly blobs: ReadonlyMap<Digest, Buffer>
}

/** An image with any layers and documents, including those that no tool would build. */
export function imageInMemory(
  layers: readonly LayerInMemory[],
  { configType = mediaTypes.ociConfig, diffIds }: { configType?: string; diffIds?: readonly Digest[] } = {},
): ImageInMemory {
  const blobs = new Map<Digest, Buffer>()
  const put = (mediaType: string, bytes: Buffer): Descriptor => {
    const digest = digestOf(bytes)
    blobs.set(digest, bytes)
    return { mediaType, digest, size: bytes.length }
  }
  const putJson = (mediaType: string, value: object) => put(mediaType, Buffer.from(JSON.stringify(value)))
  const made = layers.map(({ entries, mediaType = mediaTypes.ociLayerGzip, diffId, annotations }) => {
    const tar = entries instanceof Uint8Array ? Buffer.from(entries) : rawTar(...entries.map(rawEntry))
    const descriptor = put(mediaType, mediaType.endsWith('gzip') ? gzipSync(tar) : tar)
    return { ...descriptor, ...(annotations && { annotations }), diffId: diffId ?? digestOf(tar), tar }
  })
  const config = putJson(configType, {
    os: 'linux',
    architecture: 'amd64',
    rootfs: { type: 'layers', diff_ids: diffIds ?? made.map(({ diffId }) => diffId) },
  })
  const target = putJson(mediaTypes.ociManifest, {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config,
    layers: made.map(({ tar, diffId, ...descriptor }) => descriptor),
  })
  return { target, config, layers: made, blobs }
}

/** Changes how a blob's bytes are sent: in pieces, delayed, or with other bytes. */
export type Delivery = (
  blob: Buffer,
  descriptor: Descriptor,
  offset: number,
) => AsyncIterable<Uint8Array> | Iterable<Uint8Array>

/** A remote with one image, whose blobs it sends by `deliver`; at once by default. */
export function remoteOf({ target, blobs }: ImageInMemory, deliver?: Delivery): Remote {
  return {
    reference: 'registry.test/image:1',
    resolve: async () => target,
    async *fetch(descriptor, { offset = 0, signal } = {}) {
      const blob = blobs.get(descriptor.digest)
      if (blob === undefined) throw new NsboxError('not_found', `blob ${descriptor.digest}`)
      const pieces = deliver?.(blob, descriptor, offset) ?? [blob.subarray(offset)]
      for await (const piece of pieces) {
        signal?.throwIfAborted()
        yield piece
      }
    },
    push: async () => {
      throw new NsboxError('unimplemented', 'pushing to a test image')
    },
  }
}
