import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { readBlob } from '@nsbox/core/content'
import { digestOf } from '@nsbox/oci'
import { buildImage, filesLayer, type TarEntry, tar } from '@nsbox/testing'
import { attemptAsync, fuzz, mutatedBytes, mutatedJson, shown } from '@nsbox/testing/fuzz'
import fc from 'fast-check'
import { afterAll, expect } from 'vitest'
import { checkImage } from '../documents/check-image.ts'
import { directoryEntries, dockerEntries, plainLayer } from '../testing/archive-bytes.ts'
import { openStores } from '../testing/open-stores.ts'
import { importImages } from './import-images.ts'

const stores = await openStores()
afterAll(() => stores[Symbol.asyncDispose]())
const linux = { os: 'linux', architecture: 'amd64' }
const layout = join(stores.path, 'layout')
await buildImage(
  layout,
  [
    { platform: linux, layers: [filesLayer({ one: '1' })] },
    { platform: { ...linux, architecture: 'arm64' }, layers: [filesLayer({ two: '2' })] },
  ],
  'v1',
)
const layoutEntries = await directoryEntries(layout)
const layers = [await plainLayer('a', '1'), await plainLayer('b', '2')]
const dockerSave = dockerEntries(layers, ['test/docker:1', 'test/docker:2'])
const archives = [await buffer(tar(layoutEntries)), await buffer(tar(dockerSave))]

type Named = TarEntry & { readonly content: Uint8Array }
const text = ({ content }: Named) => Buffer.from(content as Uint8Array).toString()
const isDocument = (entry: TarEntry): entry is Named =>
  'content' in entry && /^\s*[{[]/.test(text(entry as Named))

/** A document is changed, and so are all references to its digest, so that the change is reached. */
const changed = fc
  .tuple(fc.constantFrom(layoutEntries, dockerSave), fc.nat(), fc.nat())
  .chain(([entries, which]) => {
    const documents = entries.filter(isDocument)
    const chosen = documents[which % documents.length]!
    return mutatedJson([JSON.parse(text(chosen))], 2).map((json) => {
      let [before, after] = [text(chosen), JSON.stringify(json)]
      let archive = entries.map((entry) =>
        entry === chosen ? { ...chosen, content: Buffer.from(after) } : entry,
      )
      // One document after the other gets a new digest and size, up to the index.
      for (let depth = 0; depth < 4; depth++) {
        const [from, to] = [digestOf(before), digestOf(after)]
        const parent = archive.find((entry) => isDocument(entry) && text(entry).includes(from.slice(7)))
        archive = archive.map((entry) => ({ ...entry, name: entry.name.replace(from.slice(7), to.slice(7)) }))
        if (parent === undefined || !isDocument(parent)) break
        before = text(parent)
        after = before.replaceAll(from, to).replaceAll(from.slice(7), to.slice(7))
        const old = JSON.stringify({ x: Buffer.byteLength(chosen.content) }).slice(5, -1)
        after = after.replace(`"size":${old}`, `"size":${JSON.stringify(json)?.length ?? 0}`)
        archive = archive.map((entry) =>
          isDocument(entry) && text(entry) === before ? { ...entry, content: Buffer.from(after) } : entry,
        )
      }
      return archive
    })
  })

const archive = fc.oneof(
  mutatedBytes(archives, {
    dictionary: ['blobs/sha256/', 'index.json', 'manifest.json', '../', 'oci-layout'],
    most: 3,
  }),
  changed.map((entries) => entries),
)

let runs = 0
fuzz(
  'an archive that is refused changes no image, and what is imported is whole',
  archive,
  async (given) => {
    const name = `fuzz${runs++}`
    const { metadata } = stores
    const { leases } = metadata.namespace(name)
    const { id } = await leases.create()
    const { content, images } = metadata.namespace(name, { lease: id })
    const old = {
      name: 'test/docker:1',
      target: { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest: digestOf('old'), size: 3 },
    }
    await images.create(old)
    const before = await images.list()
    const bytes = given instanceof Uint8Array ? given : await bytesOf(given)
    if (bytes === undefined) return 'no archive'
    async function* source() {
      for (let at = 0; at < bytes!.length; at += 4096) yield bytes!.subarray(at, at + 4096)
    }
    const { outcome, value } = await attemptAsync(() =>
      importImages(source(), { content, images, naming: [{ baseName: 'test/image' }] }),
    )
    expect(await content.statuses()).toEqual([])
    if (value === undefined) expect(await images.list()).toEqual(before)
    else {
      expect(value.images.length).toBeGreaterThan(0)
      for (const { target } of value.images) {
        expect(await checkImage(content, target)).toMatchObject({ status: 'complete' })
        expect(digestOf(await readBlob(content, target, { limit: 1 << 22 }))).toBe(target.digest)
      }
    }
    for (const { name: image } of await images.list()) await images.delete(image)
    await leases.delete(id)
    return outcome
  },
  { runs: 60 },
)

/** Undefined for names that do not fit into a tar header. */
async function bytesOf(entries: readonly TarEntry[]): Promise<Buffer | undefined> {
  return shown(await buffer(tar(entries)))
}
