import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { errorCode } from '@nsbox/errors'
import { withTempMount } from '@nsbox/mount'
import { type Descriptor, digestOf, labelKeys } from '@nsbox/oci'
import { type Containerd, filesLayer, startContainerd, tar } from '@nsbox/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ClientView, connect } from './client.ts'

const mediaType = 'application/vnd.oci.image.layer.v1.tar+gzip'
let containerd: Containerd
let namespaces = 0

beforeAll(async () => {
  containerd = await startContainerd()
})
afterAll(() => containerd?.[Symbol.asyncDispose]())

/** Runs in a namespace of its own, with a lease. */
async function leased(use: (client: ClientView) => Promise<void>): Promise<void> {
  await using client = connect({ address: containerd.address, namespace: `diff-${namespaces++}` })
  await using lease = await client.createLease()
  await use(lease.client)
}

/** Stores a layer with these files. */
async function storedLayer(
  { content }: ClientView,
  files: Record<string, string>,
): Promise<{ layer: Descriptor; archive: Buffer }> {
  const chunks: Uint8Array[] = []
  for await (const chunk of tar(filesLayer(files).entries)) chunks.push(chunk)
  const archive = Buffer.concat(chunks)
  const blob = gzipSync(archive)
  await using writer = await content.writer({ ref: 'layer' })
  await writer.write(blob)
  const { digest, size } = await writer.commit()
  return { layer: { mediaType, digest, size }, archive }
}

test('layers are applied to snapshots, and made of them, by the server', async () => {
  await leased(async (client) => {
    const snapshotter = client.snapshotter()
    const { layer, archive } = await storedLayer(client, { 'etc/kept': 'kept', 'etc/gone': 'gone' })
    const diffId = digestOf(archive)
    const applied = await client.applier.apply(layer, await snapshotter.prepare('base', undefined), {
      diffId,
    })
    expect(applied).toEqual({ diffId, size: archive.byteLength, implied: [] })
    await snapshotter.commit('committed', 'base')

    const lower = await snapshotter.view('lower', 'committed')
    const upper = await snapshotter.prepare('upper', 'committed')
    await withTempMount(upper, async (path) => {
      expect(await readFile(join(path, 'etc/kept'), 'utf8')).toBe('kept')
      await rm(join(path, 'etc/gone'))
      await writeFile(join(path, 'new'), 'new')
    })
    const sourceDateEpoch = new Date('2001-02-03T04:05:06Z')
    const made = await client.comparer.compare(lower, upper, { labels: { made: 'here' }, sourceDateEpoch })
    expect(made).toMatchObject({ mediaType })
    const chunks: Uint8Array[] = []
    for await (const chunk of client.content.read(made.digest)) chunks.push(chunk)
    const difference = gunzipSync(Buffer.concat(chunks))
    const { labels } = await client.content.info(made.digest)
    expect({ ...labels }).toEqual({ made: 'here', [labelKeys.uncompressed]: digestOf(difference) })

    const again = await snapshotter.prepare('again', 'committed')
    expect((await client.applier.apply(made, again)).diffId).toBe(digestOf(difference))
    await withTempMount(again, async (path) => {
      expect(await readFile(join(path, 'new'), 'utf8')).toBe('new')
      await expect(readFile(join(path, 'etc/gone'))).rejects.toMatchObject({ code: 'ENOENT' })
    })
  })
})

test('a layer with another diff id, one that arrives and one that is missing are refused', async () => {
  await leased(async (client) => {
    const { layer } = await storedLayer(client, { file: 'x' })
    const mounts = await client.snapshotter('native').prepare('key', undefined)
    const refused = async (call: Promise<unknown>) => errorCode(await call.catch((error: unknown) => error))
    const arriving = { path: '/none', growing: { shared: new SharedArrayBuffer(8), generation: 0 } }
    expect(await refused(client.applier.apply(layer, mounts, { arriving }))).toBe('unimplemented')
    expect(await refused(client.applier.apply(layer, mounts, { diffId: digestOf('other') }))).toBe(
      'failed_precondition',
    )
    const missing = { ...layer, digest: digestOf('missing') }
    expect(await refused(client.applier.apply(missing, mounts))).toBe('not_found')
  })
})

test('a parent at commit is refused where the server would ignore it', async () => {
  await leased(async (client) => {
    const snapshotter = client.snapshotter()
    for (const name of ['base', 'other']) {
      await snapshotter.prepare('making', undefined)
      await snapshotter.commit(name, 'making')
    }
    await snapshotter.prepare('free', undefined)
    await snapshotter.prepare('bound', 'base')
    const refused = async (key: string, parent: string) =>
      errorCode(await snapshotter.commit('name', key, { parent }).catch((error: unknown) => error))
    expect(await refused('free', 'base')).toBe('unimplemented')
    expect(await refused('bound', 'other')).toBe('failed_precondition')
    expect(await refused('none', 'base')).toBe('not_found')
    expect(await snapshotter.commit('name', 'bound', { parent: 'base' })).toMatchObject({ parent: 'base' })
  })
})

test('a snapshotter that the server has not is refused by name', async () => {
  await leased(async (client) => {
    await expect(client.snapshotter('nowhere').stat('key')).rejects.toThrow(/nowhere/)
  })
})
