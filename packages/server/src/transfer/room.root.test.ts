import { statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { openContentStore } from '@nsbox/content'
import { type Metadata, openMetadata } from '@nsbox/metadata'
import { digestOf } from '@nsbox/oci'
import { type FaultReply, type FaultServer, runOrThrow, startFaultServer, tempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { TransferService } from './transfer-service.ts'

const mebibyte = 1 << 20
const type = (name: string) => `application/vnd.oci.image.${name}`
const described = (mediaType: string, bytes: Buffer) => ({
  mediaType,
  digest: digestOf(bytes),
  size: bytes.length,
})

describeWith({ root: true, linux: true, programs: ['mount', 'umount'] }, 'a pull on a disk of 40 MiB', () => {
  let resources: AsyncDisposableStack
  let registry: FaultServer
  let disk: string
  let metadata: Metadata
  let service: TransferService

  beforeEach(async () => {
    resources = new AsyncDisposableStack()
    registry = resources.use(await startFaultServer())
    disk = resources.use(await tempDir('nsbox-room')).path
    await runOrThrow('mount', ['-t', 'tmpfs', '-o', 'size=40m', 'tmpfs', disk])
    resources.defer(async () => void (await runOrThrow('umount', [disk])))
    const content = resources.use(await openContentStore({ root: join(disk, 'content') }))
    metadata = resources.use(await openMetadata({ path: join(disk, 'metadata.db'), content }))
    service = new TransferService({ metadata })
  })
  afterEach(() => resources.disposeAsync())

  /** Serves an image with a layer of this many MiB, and another one that gets these replies. */
  function serve(name: string, size: number, second: FaultReply | (() => Promise<FaultReply>)): void {
    const layers = [Buffer.alloc(size * mebibyte, name), Buffer.from(`last of ${name}`)] as const
    const config = Buffer.from(
      JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [] } }),
    )
    const manifest = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: type('manifest.v1+json'),
        config: described(type('config.v1+json'), config),
        layers: layers.map((layer) => described(type('layer.v1.tar'), layer)),
      }),
    )
    const reply = { body: manifest, headers: { 'content-type': type('manifest.v1+json') } }
    for (const method of ['HEAD', 'GET'])
      for (const tag of ['1', digestOf(manifest)])
        registry.on(method, `/v2/a/${name}/manifests/${tag}`, reply)
    registry.on('GET', `/v2/a/${name}/blobs/${digestOf(config)}`, { body: config })
    registry.on('GET', `/v2/a/${name}/blobs/${digestOf(layers[0])}`, { body: layers[0] })
    registry.on('GET', `/v2/a/${name}/blobs/${digestOf(layers[1])}`, second)
  }

  const pull = (namespace: string, name: string) =>
    service
      .for({ namespace })
      .transfer(
        { kind: 'registry', reference: `${registry.host}/a/${name}:1` },
        { kind: 'image', name: `${name}-of-${namespace}` },
      )

  /** Used space in MiB. */
  async function used(): Promise<number> {
    const { blocks, bfree, bsize } = await statfs(disk)
    return ((blocks - bfree) * bsize) / mebibyte
  }

  const arrived = (namespace: string, bytes: number) =>
    expect.poll(async () => {
      for await (const { size } of metadata.namespace(namespace).content.list())
        if (size >= bytes) return true
      return false
    })

  test('D21 gives back at once what it had if there is no room for it', async () => {
    serve('large', 60, { body: 'last of large' })
    for (let attempt = 0; attempt < 2; attempt++) {
      await expect(pull('a', 'large')).rejects.toMatchObject({ code: 'resource_exhausted' })
      const { leases, content } = metadata.namespace('a')
      expect(await leases.list()).toEqual([])
      expect(await content.statuses()).toEqual([])
      expect(await used()).toBeLessThan(10)
    }
  })

  test('D21 takes the room that failed ones hold, of whichever namespace and image', async () => {
    serve('left', 24, async () => {
      await arrived('a', 24 * mebibyte).toBe(true)
      return { status: 404 }
    })
    const failed = await pull('a', 'left').catch((error: unknown) => error)
    const [lease] = await metadata.namespace('a').leases.list()
    expect(failed).toMatchObject({ code: 'not_found', details: { heldLease: lease?.id } })
    expect((failed as { details: { heldBytes: number } }).details.heldBytes).toBeGreaterThan(24 * mebibyte)
    expect(await used()).toBeGreaterThan(24)

    serve('next', 28, { body: 'last of next' })
    await pull('b', 'next')
    expect(await metadata.namespace('a').leases.list()).toEqual([])
    expect(await metadata.namespace('b').leases.list()).toEqual([])
    expect((await metadata.namespace('b').images.list()).map(({ name }) => name)).toEqual(['next-of-b'])
  })

  test('D21 takes nothing from one that is under way', async () => {
    let goOn = () => {}
    const held = new Promise<void>((resolve) => {
      goOn = resolve
    })
    serve('first', 24, async () => {
      await held
      return { body: 'last of first' }
    })
    const first = pull('a', 'first')
    await arrived('a', 24 * mebibyte).toBe(true)
    serve('second', 28, { body: 'last of second' })
    await expect(pull('b', 'second')).rejects.toMatchObject({ code: 'resource_exhausted' })
    goOn()
    await first
    expect((await metadata.namespace('a').images.list()).map(({ name }) => name)).toEqual(['first-of-a'])
  })
})
