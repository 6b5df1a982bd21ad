import { runYielding } from '@nsbox/concurrency'
import {
  type AbortOptions,
  type ContentStore,
  readBlob,
  readImageConfig,
  readIndex,
  readManifest,
} from '@nsbox/core/content'
import { NsboxError } from '@nsbox/errors'
import {
  childGcLabels,
  type Descriptor,
  type Digest,
  descriptorJson,
  isIndex,
  isLayer,
  isManifest,
  type JsonObject,
  maxDocumentSize,
  type Platform,
  strictJsonSteps,
} from '@nsbox/oci'
import { ArchiveBlobs } from '../archive/archive-blobs.ts'
import { chooseManifests } from '../documents/choose-manifests.ts'
import { isImage } from '../documents/is-image.ts'
import { noManifest } from '../documents/no-manifest.ts'
import { checkGraph, documentsBudget } from '../documents/walk.ts'
import { convertLayer } from './convert-layer.ts'
import { documentType } from './converted-type.ts'

/** How to convert an image. */
export interface ConvertOptions extends AbortOptions {
  /** Bound to a lease if a collector could run meanwhile: nothing else holds what is made. */
  readonly content: ContentStore
  /** Platforms to keep of indexes; all of them if absent or empty. */
  readonly platforms?: readonly Platform[] | undefined
  /** Whether Docker's media types become those of the image specification; not by default. */
  readonly oci?: boolean | undefined
  /** Whether layers are decompressed; not by default. */
  readonly uncompress?: boolean | undefined
}

/**
 * Makes another form of an image, which shares with it what stays as it is. An index stays one, however many platforms
 * are kept, and attestations in it name what their image has become. Documents refer to what they are made of by labels
 * for the collector, as after a pull. Nothing is recorded.
 *
 * @returns what to record as the target of an image; the same as before if there is nothing to convert
 * @throws `not_found` for content that is missing, or an index that has nothing for the platforms; `data_loss` for
 * layers that are not what the config says; `unimplemented` for layers of an unknown kind; as `readChildren`
 */
export async function convertImage(image: Descriptor, options: ConvertOptions): Promise<Descriptor> {
  const { content, platforms = [], oci = false, uncompress = false, signal } = options
  const blobs = new ArchiveBlobs(content, signal)
  const documents = documentsBudget(image)
  const wish = { oci, uncompress }
  let objects = 0
  return await convert(image, 0)

  async function convert(descriptor: Descriptor, depth: number): Promise<Descriptor> {
    objects += 1
    checkGraph(image.digest, depth, objects)
    const { mediaType } = descriptor
    if (!isIndex(mediaType) && !isManifest(mediaType)) return descriptor
    documents.take(descriptor.size)
    return isIndex(mediaType) ? await convertIndex(descriptor, depth) : await convertManifest(descriptor)
  }

  async function convertIndex(descriptor: Descriptor, depth: number): Promise<Descriptor> {
    const { manifests } = await readIndex(content, descriptor, { signal })
    const chosen = new Set(chooseManifests(manifests, platforms))
    if (chosen.size === 0 && manifests.length > 0)
      throw noManifest(`index ${descriptor.digest}`, platforms, manifests)
    const kept = manifests.filter((each) => chosen.has(each))
    const converted: Descriptor[] = []
    for (const each of kept) converted.push(await convert(each, depth + 1))
    const isSame = kept.length === manifests.length && kept.every((each, index) => each === converted[index])
    const named = withReferences(
      converted,
      new Map(kept.map(({ digest }, n) => [digest, converted[n]!.digest])),
    )
    return await rewritten(descriptor, isSame, { manifests: named.map(descriptorJson) }, named)
  }

  async function convertManifest(descriptor: Descriptor): Promise<Descriptor> {
    const manifest = await readManifest(content, descriptor, { signal })
    const { config, layers } = manifest
    const diffIds = isImage(manifest) ? await diffIdsOf(config, layers) : new Map<Descriptor, Digest>()
    const type = documentType(config.mediaType, wish)
    const newConfig = type === config.mediaType ? config : { ...config, mediaType: type }
    const newLayers: Descriptor[] = []
    for (const layer of layers)
      newLayers.push(await convertLayer(layer, diffIds.get(layer), { ...wish, content, blobs, signal }))
    const isSame = newConfig === config && newLayers.every((layer, index) => layer === layers[index])
    const fields = { config: descriptorJson(newConfig), layers: newLayers.map(descriptorJson) }
    return await rewritten(descriptor, isSame, fields, [newConfig, ...newLayers])
  }

  /** The layers' diff ids, as the config says them. */
  async function diffIdsOf(
    config: Descriptor,
    layers: readonly Descriptor[],
  ): Promise<Map<Descriptor, Digest>> {
    const { diffIds } = await readImageConfig(content, config, { signal })
    const fileSystems = layers.filter(({ mediaType }) => isLayer(mediaType))
    if (fileSystems.length !== diffIds.length)
      throw new NsboxError(
        'invalid_argument',
        `config ${config.digest}: ${diffIds.length} diff ids for ${fileSystems.length} layers`,
      )
    return new Map(fileSystems.map((layer, index) => [layer, diffIds[index]!]))
  }

  /** The document with other fields, in the order of the image specification's Go library, as containerd writes it. */
  async function rewritten(
    descriptor: Descriptor,
    isSame: boolean,
    fields: JsonObject | Readonly<Record<string, unknown>>,
    children: readonly Descriptor[],
  ): Promise<Descriptor> {
    const mediaType = documentType(descriptor.mediaType, wish)
    if (isSame && mediaType === descriptor.mediaType) return descriptor
    const context = `document ${descriptor.digest}`
    const read = await readBlob(content, descriptor, { limit: maxDocumentSize, signal })
    const whole = (await runYielding(strictJsonSteps(read, context), { signal })) as JsonObject
    const { schemaVersion, artifactType, config: _c, layers: _l, manifests: _m, ...rest } = whole
    const { mediaType: _t, subject, annotations, ...unknown } = rest
    const document = {
      schemaVersion,
      mediaType,
      artifactType,
      ...fields,
      subject,
      annotations,
      ...unknown,
    }
    const bytes = Buffer.from(JSON.stringify(document))
    const name = `${mediaType} made of ${descriptor.digest}`
    const digest = await blobs.write([bytes], { name, size: bytes.length })
    await content.update(digest, { merge: childGcLabels(children) }, { signal })
    const { data: _data, ...described } = descriptor
    return { ...described, mediaType, digest, size: bytes.length }
  }
}

/** By which entry of an index BuildKit says which other one its attestations are of. */
const ofManifest = 'vnd.docker.reference.digest'

/** The entries of an index, with the new digests of others that they name. */
function withReferences(
  entries: readonly Descriptor[],
  converted: ReadonlyMap<string, Digest>,
): readonly Descriptor[] {
  return entries.map((entry) => {
    const digest = converted.get(entry.annotations?.[ofManifest] ?? '')
    return digest === undefined
      ? entry
      : { ...entry, annotations: { ...entry.annotations, [ofManifest]: digest } }
  })
}
