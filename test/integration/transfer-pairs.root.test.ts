import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { type Client, type ClientView, connect } from '@nsbox/client'
import type {
  ImageReference,
  TransferDestination,
  TransferProgress,
  TransferSource,
} from '@nsbox/core/transfer'
import { errorCode } from '@nsbox/errors'
import { parseDigest } from '@nsbox/oci'
import { startServer } from '@nsbox/server'
import {
  type BuiltImage,
  buildImage,
  collectsWhenAsked,
  filesLayer,
  hostPlatform,
  makeCertificate,
  type Needs,
  pushImage,
  runOrThrow,
  startContainerd,
  startRegistry,
  startTlsFront,
  stockCtr,
  tempDir,
} from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'

const needs: Needs = { root: true, linux: true, programs: ['containerd', 'docker-registry', 'skopeo'] }
const otherPlatform = {
  os: 'linux',
  architecture: hostPlatform.architecture === 'arm64' ? 'amd64' : 'arm64',
} as const

describeWith(needs, 'transfers', () => {
  const resources = new AsyncDisposableStack()
  const addresses: Record<string, string> = {}
  let reference: string
  let image: BuiltImage
  let archive: string
  let host: string
  let hostsDir: string
  let count = 0
  let client: ClientView
  let connected: Client

  beforeAll(async () => {
    const directory = resources.use(await tempDir('nsbox-pairs')).path
    const registry = resources.use(await startRegistry())
    const certificate = await makeCertificate(directory)
    host = resources.use(await startTlsFront(registry.host, certificate)).host
    hostsDir = join(directory, 'hosts')
    await mkdir(join(hostsDir, host), { recursive: true })
    await writeFile(
      join(hostsDir, host, 'hosts.toml'),
      `server = "https://${host}"\nca = ${JSON.stringify(certificate.cert)}\n`,
    )
    const layout = join(directory, 'layout')
    image = await buildImage(layout, [
      { layers: [filesLayer({ 'etc/one': '1' })] },
      { layers: [filesLayer({ 'etc/one': 'other' })], platform: otherPlatform },
    ])
    await pushImage(image, registry, 'pairs/source:1')
    reference = `${host}/pairs/source:1`
    archive = join(directory, 'layout.tar')
    await runOrThrow('tar', ['-cf', archive, '-C', layout, 'oci-layout', 'index.json', 'blobs'])
    addresses.containerd = resources.use(
      await startContainerd({ env: { SSL_CERT_FILE: certificate.cert }, settings: collectsWhenAsked }),
    ).address
    const server = await startServer({ root: join(directory, 'root'), durability: 'relaxed' })
    addresses['nsbox-server'] = resources.use(server).address
  })
  afterAll(() => resources.disposeAsync())

  const fromArchive = async () =>
    ({ kind: 'archive source', bytes: Readable.from([await readFile(archive)]) }) as const
  const has = async (digest: string) =>
    await client.content.info(parseDigest(digest)).then(
      () => true,
      () => false,
    )
  const registered = (reference: string) => ({ kind: 'registry', reference, hostsDir }) as const
  const names = async () => (await client.images.list()).map(({ name }) => name)
  const transfer = async (source: TransferSource, destination: TransferDestination) => {
    const progress: TransferProgress[] = []
    await client.transfer.transfer(source, destination, { onProgress: (step) => progress.push(step) })
    return progress
  }
  /** The lines about the whole, and for each object the last state with what it belongs to. */
  const told = (progress: readonly TransferProgress[]) => {
    const lines = progress.filter(({ name }) => name === '').map(({ event }) => event)
    const objects = new Map(
      progress
        .filter(({ name, event }) => name !== '' && event !== 'waiting')
        .map(({ name, event, progress, total }) => [`${name} ${event}`, { progress, total }]),
    )
    const parents = new Map(
      progress.filter(({ parents }) => parents.length > 0).map((step) => [step.name, step.parents]),
    )
    return { lines, objects, parents }
  }
  const digestOf = (at: number) => image.manifests[at]!.manifest.digest
  const layerOf = (at: number) => image.manifests[at]!.layers[0]!.digest

  // containerd now and then misses a blob that it has just found in another namespace.
  for (const [server, retry] of Object.entries({ containerd: 2, 'nsbox-server': 0 }))
    describe(`of ${server}`, { retry }, () => {
      beforeEach(() => {
        connected = connect({ address: addresses[server]!, namespace: `n${count++}` })
        client = connected
        return () => connected[Symbol.asyncDispose]()
      })

      it('from an archive to an archive copy its bytes', async () => {
        let taken = Buffer.alloc(0)
        const take = async (bytes: AsyncIterable<Uint8Array>) => {
          taken = await buffer(bytes)
        }
        await transfer(await fromArchive(), { kind: 'archive sink', take })
        // Streams of tars go in blocks here, so that zeros may follow.
        const sent = await readFile(archive)
        expect(taken.subarray(0, sent.byteLength).equals(sent)).toBe(true)
        expect(taken.subarray(sent.byteLength).every((byte) => byte === 0)).toBe(true)
      })

      it('tell how a pull, a push, an export and an import go on', async () => {
        // containerd ends its answer without waiting until all that it told has been sent: it may lack any of this.
        const expectTold = (found: Iterable<unknown>, expected: readonly unknown[]) =>
          server === 'containerd'
            ? expect(expected).toEqual(expect.arrayContaining([...found]))
            : expect([...found]).toEqual(expected)
        const expectAmong = (
          found: ReadonlyMap<unknown, unknown>,
          expected: readonly (readonly unknown[])[],
        ) =>
          expected.forEach(([key, value]) => {
            if (server !== 'containerd' || found.has(key)) expect([key, found.get(key)]).toEqual([key, value])
          })
        const pulled = told(await transfer(registered(reference), { kind: 'image', name: 'mine' }))
        expectTold(pulled.lines, [
          `Resolving from OCI Registry (${reference})`,
          `Pulling from OCI Registry (${reference})`,
          `Completed pull from OCI Registry (${reference})`,
        ])
        const nothing = { progress: 0, total: 0 }
        expectAmong(pulled.objects, [
          [`${reference} fetching image content`, nothing],
          ['mine saved', nothing],
        ])
        const index = `index-${image.target.digest}`
        expectAmong(pulled.parents, [
          [index, [reference]],
          [`manifest-${digestOf(0)}`, [index]],
          [`layer-${layerOf(0)}`, [`manifest-${digestOf(0)}`]],
        ])
        const to = `${host}/pairs/${server}:1`
        const pushed = told(await transfer({ kind: 'image', name: 'mine' }, registered(to)))
        expectTold(pushed.lines, [
          `Pushing to OCI Registry (${to})`,
          `Completed push to OCI Registry (${to})`,
        ])
        expectAmong(pushed.objects, [
          ['mine pushing content', nothing],
          ['mine pushed content', nothing],
          [`${index} complete`, { progress: image.target.size, total: image.target.size }],
        ])
        expectAmong(pushed.parents, [[index, ['mine']]])
        const take = async (bytes: AsyncIterable<Uint8Array>) => void (await buffer(bytes))
        const out = told(await transfer({ kind: 'image', name: 'mine' }, { kind: 'archive sink', take }))
        expectTold(out.lines, ['Exporting', 'Completed export'])
        const references = [{ name: 'a/b', isPrefix: true }]
        const back = told(await transfer(await fromArchive(), { kind: 'image', name: '', references }))
        expectTold(back.lines, ['Importing', 'Completed import'])
        expectTold(back.objects.keys(), ['a/b:latest saved'])
      })

      const prefix = { name: 'a/b', isPrefix: true } as const
      it.each<[string, string, ImageReference[], string[]]>([
        ['several prefixes', '', [prefix, { name: 'c/d', isPrefix: true }], ['a/b:latest', 'c/d:latest']],
        ['a prefix and the whole', 'all', [prefix], ['a/b:latest', 'all']],
        ['whole names', 'all', [{ name: 'x:1' }, { name: 'y' }], ['all', 'x:1', 'y']],
        ['a whole name with its digest', '', [{ name: 'x', addDigest: true }], ['x@INDEX']],
        ['digests', '', [{ ...prefix, addDigest: true }], ['a/b:latest', 'a/b@IMAGE']],
        [
          'digests of what has no name',
          '',
          [{ ...prefix, addDigest: true, skipNamedDigest: true }],
          ['a/b:latest'],
        ],
      ])('name what they import by %s', async (_what, name, references, expected) => {
        await transfer(await fromArchive(), { kind: 'image', name, references })
        const images = await client.images.list()
        const shown = images.map((each) =>
          each.name
            .replace(image.target.digest, 'IMAGE')
            .replace(/sha256:[0-9a-f]{64}/, (digest) => (digest === each.target.digest ? 'INDEX' : digest)),
        )
        expect(shown).toEqual(expected)
      })

      it('give a pulled image and a tag several names', async () => {
        const references = [{ name: 'x:1' }, { name: 'x', addDigest: true }]
        await transfer(registered(reference), { kind: 'image', name: 'mine', references })
        expect(await names()).toEqual(['mine', 'x:1', `x@${image.target.digest}`])
        await transfer(
          { kind: 'image', name: 'mine' },
          { kind: 'image', name: '', references: [{ name: 'tag' }, { name: 'tag', addDigest: true }] },
        )
        expect(await names()).toEqual([
          'mine',
          'tag',
          `tag@${image.target.digest}`,
          'x:1',
          `x@${image.target.digest}`,
        ])
      })

      it('are what stock ctr tags by', async () => {
        await transfer(registered(reference), { kind: 'image', name: 'mine' })
        const args = ['images', 'tag', '--local=false', 'mine', 'docker.io/library/tagged:1']
        expect(await stockCtr(addresses[server]!, `n${count - 1}`, args)).toMatchObject({ code: 0 })
        expect(await names()).toEqual(['docker.io/library/tagged:1', 'mine'])
      })

      it('export several images by their names', async () => {
        await transfer(registered(reference), { kind: 'image', name: 'a/b:1' })
        await transfer({ kind: 'image', name: 'a/b:1' }, { kind: 'image', name: 'a/b:2' })
        let exported = Buffer.alloc(0)
        const take = async (bytes: AsyncIterable<Uint8Array>) => {
          exported = await buffer(bytes)
        }
        const source = { kind: 'image', name: 'a/b:2', references: [{ name: 'a/b:1' }] } as const
        await transfer(source, { kind: 'archive sink', take })
        const other = client.withNamespace(`n${count++}`)
        await other.transfer.transfer(
          { kind: 'archive source', bytes: Readable.from([exported]) },
          { kind: 'image', name: '', references: [{ name: 'a/b', isPrefix: true }] },
        )
        expect((await other.images.list()).map(({ name }) => name)).toEqual(['a/b:1', 'a/b:2'])
      })

      it('take documents of all platforms, or as many manifests as are allowed', async () => {
        const platforms = [{ os: 'linux', architecture: hostPlatform.architecture }]
        const pulled = { kind: 'image', name: 'mine', platforms } as const
        await transfer(registered(reference), pulled)
        expect(await Promise.all([digestOf(0), digestOf(1)].map(has))).toEqual([true, false])
        await transfer(registered(reference), { ...pulled, allMetadata: true })
        expect(await Promise.all([digestOf(1), layerOf(0), layerOf(1)].map(has))).toEqual([true, true, false])
        client = client.withNamespace(`n${count++}`)
        await transfer(registered(reference), { kind: 'image', name: 'one', manifestLimit: 1 })
        expect(await Promise.all([digestOf(0), digestOf(1)].map(has))).toEqual([true, false])
        client = client.withNamespace(`n${count++}`)
        await transfer(registered(reference), {
          kind: 'image',
          name: 'one',
          manifestLimit: 1,
          platforms: [otherPlatform],
        })
        expect(await Promise.all([digestOf(0), digestOf(1)].map(has))).toEqual([false, true])
      })

      it('import with the documents of all platforms, and as many manifests as are allowed', async () => {
        const platforms = [{ os: 'linux', architecture: hostPlatform.architecture }]
        const references = [{ name: 'a/b', isPrefix: true }]
        const to = { kind: 'image', name: '', references } as const
        await transfer(await fromArchive(), { ...to, platforms, allMetadata: true })
        await transfer(await fromArchive(), { ...to, manifestLimit: 1 })
        expect(await names()).toEqual(['a/b:latest'])
      })

      it('refuse what makes no image and what is not there', async () => {
        const references = [{ name: 'a/b', isPrefix: true }]
        const unnamed = { kind: 'image', name: '', references } as const
        const failing = async (source: TransferSource, destination: TransferDestination) =>
          errorCode(await transfer(source, destination).catch((error) => error))
        expect(await failing({ kind: 'image', name: 'absent' }, { kind: 'image', name: 'y' })).toBe(
          'not_found',
        )
        const unnamedCode = server === 'containerd' ? 'not_found' : 'invalid_argument'
        expect(await failing(registered(reference), unnamed)).toBe(unnamedCode)
        expect(await failing(await fromArchive(), registered(reference))).toBe('unimplemented')
        expect(await names()).toEqual([])
      })
    })

  describe('of nsbox-server alone', () => {
    beforeEach(() => {
      connected = connect({ address: addresses['nsbox-server']!, namespace: `n${count++}` })
      client = connected
      return () => connected[Symbol.asyncDispose]()
    })

    it('from a registry to a registry copy an image, and leave nothing here', async () => {
      const to = `${host}/pairs/copy:1`
      const progress = told(await transfer(registered(reference), registered(to)))
      expect(progress.lines.at(-1)).toBe(`Completed push to OCI Registry (${to})`)
      expect(await names()).toEqual([])
      expect(await client.leases.list()).toEqual([])
      await transfer(registered(to), { kind: 'image', name: 'copy' })
      expect((await client.images.get('copy')).target.digest).toBe(image.target.digest)
    })

    it('from an image to an image unpack it first, and name nothing that fails', async () => {
      await transfer(registered(reference), { kind: 'image', name: 'mine' })
      const unpacks = [{}]
      const progress = told(
        await transfer({ kind: 'image', name: 'mine' }, { kind: 'image', name: 'unpacked', unpacks }),
      )
      expect([...progress.objects.keys()]).toContain(`layer-${layerOf(0)} extracted`)
      const snapshots = []
      for await (const info of client.snapshotter('overlayfs').list()) snapshots.push(info.name)
      expect(snapshots).toHaveLength(1)
      expect(await names()).toEqual(['mine', 'unpacked'])
      const platform = { os: 'plan9', architecture: 'mips' }
      const failing = transfer(
        { kind: 'image', name: 'mine' },
        { kind: 'image', name: 'no', unpacks: [{ platform }] },
      )
      await expect(failing).rejects.toMatchObject({ code: 'not_found' })
      expect(await names()).toEqual(['mine', 'unpacked'])
      expect(await client.leases.list()).toEqual([])
    })

    it('export the images of a prefix, by whole parts of their names', async () => {
      await transfer(registered(reference), { kind: 'image', name: 'a/b:1' })
      const { digest } = image.target
      for (const name of ['a/b:2', `a/b@${digest}`, 'a/b/c:1', 'a/bc:1', 'other:1'])
        await transfer({ kind: 'image', name: 'a/b:1' }, { kind: 'image', name })
      const exported = async (reference: Omit<ImageReference, 'isPrefix'>) => {
        let bytes = Buffer.alloc(0)
        const take = async (all: AsyncIterable<Uint8Array>) => {
          bytes = await buffer(all)
        }
        const source = { kind: 'image', name: '', references: [{ ...reference, isPrefix: true }] } as const
        await transfer(source, { kind: 'archive sink', take })
        const other = client.withNamespace(`n${count++}`)
        await other.transfer.transfer(
          { kind: 'archive source', bytes: Readable.from([bytes]) },
          { kind: 'image', name: '', references: [{ name: 'a/b', isPrefix: true, allowOverwrite: true }] },
        )
        return (await other.images.list()).map(({ name }) => name)
      }
      const tags = ['a/b/c:1', 'a/b:1', 'a/b:2']
      expect(await exported({ name: 'a/b' })).toEqual(tags)
      expect(await exported({ name: 'a/b', addDigest: true })).toEqual([...tags, `a/b@${digest}`])
      expect(await exported({ name: 'a/b', addDigest: true, skipNamedDigest: true })).toEqual(tags)
      await expect(exported({ name: 'absent' })).rejects.toMatchObject({ code: 'not_found' })
    })
  })
})
