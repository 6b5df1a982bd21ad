import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { connect } from '@nsbox/client'
import { digestOf, mediaTypes } from '@nsbox/oci'
import { rawEntry, rawTar, startContainerd } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type ContainerLab, openContainerLab } from './container-lab.ts'
import { counted, counter } from './counter.ts'
import { startServer, type TestServer } from './programs.ts'

const needed = {
  root: true,
  linux: true,
  programs: ['ctr', 'runc', 'criu', 'busybox', 'containerd'],
} as const

const optionsType = 'application/vnd.containerd.container.checkpoint.options.v1+proto'

/** What stock ctr does at one server. */
class Stock {
  readonly lab: ContainerLab
  #execs = 0

  constructor(lab: ContainerLab) {
    this.lab = lab
  }

  /** What it prints on standard output, where it succeeds. */
  async ctr(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.lab.stock(args)
    expect({ args, code, stderr: code === 0 ? '' : stderr }).toEqual({ args, code: 0, stderr: '' })
    return stdout
  }

  async start(id: string, program: readonly string[] = counter()): Promise<void> {
    const fifos = join(this.lab.directory, 'stock-fifos')
    await this.ctr('run', '-d', '--null-io', '--fifo-dir', fifos, this.lab.image, id, ...program)
  }

  async status(id: string): Promise<string | undefined> {
    return new RegExp(`^${id} +\\d+ +(\\w+)`, 'm').exec(await this.ctr('tasks', 'ls'))?.[1]
  }

  async read(id: string, path: string): Promise<string> {
    return await this.ctr('tasks', 'exec', '--exec-id', `read-${++this.#execs}`, id, 'cat', path)
  }

  async numbers(id: string): Promise<number> {
    return counted(await this.read(id, '/numbers'))
  }

  /** Waits until a counter has counted further. */
  async countsBeyond(id: string, number: number): Promise<void> {
    await expect.poll(() => this.numbers(id)).toBeGreaterThan(number)
  }

  async remove(id: string): Promise<void> {
    if ((await this.status(id)) !== 'STOPPED') await this.ctr('tasks', 'kill', '-s', 'KILL', id)
    await expect.poll(() => this.status(id)).toBe('STOPPED')
    await this.lab.stock(['tasks', 'rm', id])
    await this.ctr('containers', 'rm', id)
  }

  /** Removes what a failed test has left, so that it fails alone. */
  async clear(): Promise<void> {
    for (const [kind, ...flags] of [['tasks', '-f'], ['containers'], ['leases']]) {
      const ids = (await this.ctr(kind!, 'ls', '-q')).split('\n').filter((id) => id !== '')
      for (const id of ids) await this.lab.stock([kind!, 'rm', ...flags, id])
    }
  }

  /** The blobs of a checkpoint's index by their media types, and its annotations. */
  async index(name: string): Promise<{ types: string[]; annotations: Record<string, string> }> {
    const digest = new RegExp(`^${name} +\\S+ +(sha256:\\w+)`, 'm').exec(await this.ctr('images', 'ls'))![1]!
    const { manifests, annotations } = JSON.parse(await this.ctr('content', 'get', digest))
    return { types: manifests.map(({ mediaType }: { mediaType: string }) => mediaType), annotations }
  }
}

describeWith(needed, 'checkpoints with stock ctr 1.7', () => {
  const resources = new AsyncDisposableStack()
  let server: TestServer
  let here: Stock
  /** At containerd. */
  let there: Stock
  /** At another server of ours. */
  let elsewhere: Stock

  beforeAll(async () => {
    server = resources.use(await startServer())
    const containerd = resources.use(await startContainerd())
    const other = resources.use(await startServer())
    const labAt = async (address: string, name: string) =>
      new Stock(resources.use(await openContainerLab(address, name)))
    here = await labAt(server.address, 'checkpoints-here')
    there = await labAt(containerd.address, 'checkpoints-there')
    elsewhere = await labAt(other.address, 'checkpoints-elsewhere')
  }, 60_000)
  afterAll(() => resources.disposeAsync())
  afterEach(async () => {
    for (const each of [here, there, elsewhere]) {
      const leftovers = await each.lab.leftovers()
      if (leftovers.length > 0) await each.clear()
      expect(leftovers).toEqual([])
    }
    expect(await readdir(join(server.root, 'checkpoints'))).toEqual([])
    expect(await readdir(join(server.root, 'content/ingest'))).toEqual([])
  })

  it('of memory, files and image let a counter go on where it was, and leave the original running', async () => {
    await here.start('one')
    await here.countsBeyond('one', 2)
    await here.ctr('containers', 'checkpoint', '--rw', '--image', '--task', 'one', 'whole')
    const before = await here.numbers('one')
    expect(await here.index('whole')).toEqual({
      types: [
        mediaTypes.ociManifest,
        mediaTypes.ociLayerGzip,
        mediaTypes.checkpointCriu,
        mediaTypes.checkpointConfig,
        optionsType,
      ],
      annotations: {
        'io.containerd.checkpoint.runtime': 'io.containerd.runc.v2',
        'io.containerd.checkpoint.snapshotter': 'overlayfs',
        'org.opencontainers.image.ref.name': here.lab.image,
      },
    })
    await here.countsBeyond('one', before)
    const last = await here.numbers('one')
    await here.remove('one')
    await here.ctr('containers', 'restore', '--rw', '--live', 'two', 'whole')
    expect(await here.numbers('two')).toBeLessThan(last)
    await here.countsBeyond('two', last)
    expect(await here.status('two')).toBe('RUNNING')
    await here.remove('two')
    // Once more from the same, under its first name.
    await here.ctr('containers', 'restore', '--rw', '--live', 'one', 'whole')
    await here.countsBeyond('one', before)
    await here.remove('one')
    await here.ctr('images', 'rm', '--sync', 'whole')
  })

  it('begin anew where memory is not asked for, and need the files that memory refers to', async () => {
    await here.start('one', counter())
    await here.countsBeyond('one', 2)
    await here.ctr('containers', 'checkpoint', '--rw', '--image', '--task', 'one', 'whole')
    await here.remove('one')
    await here.ctr('containers', 'restore', '--rw', 'two', 'whole')
    // The program cannot make a FIFO that is there, and counts from the start.
    await expect.poll(() => here.read('two', '/numbers')).toMatch(/^1\n2\n(\d+\n)*1\n2\n/)
    await here.remove('two')
    const { code, stderr } = await here.lab.stock(['containers', 'restore', '--live', 'two', 'whole'])
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/^ctr: OCI runtime restore failed: .*Can't open file wait: No such file/),
    ])
    await here.ctr('tasks', 'rm', '-f', 'two')
    await here.ctr('containers', 'rm', 'two')
    await here.ctr('images', 'rm', '--sync', 'whole')
  })

  it('are of the files alone, or of the image alone, where that is asked for', async () => {
    await here.start('one')
    await here.ctr('containers', 'checkpoint', '--rw', 'one', 'files')
    await here.ctr('containers', 'checkpoint', '--image', 'one', 'image')
    await here.ctr('containers', 'checkpoint', '--task', 'one', 'memory')
    expect((await here.index('files')).types).toEqual([mediaTypes.ociLayerGzip])
    expect((await here.index('image')).types).toEqual([mediaTypes.ociManifest])
    expect((await here.index('memory')).types).toEqual([
      mediaTypes.checkpointCriu,
      mediaTypes.checkpointConfig,
      optionsType,
    ])
    await here.countsBeyond('one', await here.numbers('one'))
    await here.remove('one')
    // Stock ctr takes the spec from what a checkpoint of memory leaves. Its snapshot is for the collector to remove.
    for (const name of ['files', 'image']) {
      const { code, stderr } = await here.lab.stock(['containers', 'restore', `of-${name}`, name])
      expect([code, stderr]).toEqual([1, 'ctr: media type not found\n'])
    }
    await here.ctr('images', 'rm', '--sync', 'files', 'image', 'memory')
  })

  it('of a task become an image, again and again; with --exit they end it', async () => {
    await here.start('one')
    const names: string[] = []
    const made = async (...flags: string[]) => {
      const name = (await here.ctr('tasks', 'checkpoint', ...flags, 'one')).trim()
      expect(name).toMatch(/^containerd\.io\/checkpoint\/one:/)
      // It is named for the second in which it was made.
      names.push(`checkpoint-${names.length}`)
      await here.ctr('images', 'tag', name, names.at(-1)!)
      await here.ctr('images', 'rm', name)
    }
    await made()
    await made()
    await here.countsBeyond('one', await here.numbers('one'))
    await made('--exit')
    expect(await here.status('one')).toBe('STOPPED')
    for (const name of names) expect((await here.index(name)).types).toContain(mediaTypes.checkpointCriu)
    await here.remove('one')
    await here.ctr('images', 'rm', '--sync', ...names)
  })

  it('go to directories that are named, and leave no content', async () => {
    const [images, work] = ['images', 'work'].map((name) => join(here.lab.directory, name))
    const before = await here.ctr('content', 'ls', '-q')
    await here.start('one')
    await here.ctr('tasks', 'checkpoint', '--image-path', images!, '--work-path', work!, 'one')
    expect(await readdir(images!)).toEqual(expect.arrayContaining(['inventory.img', 'descriptors.json']))
    expect(await readdir(work!)).toContain('dump.log')
    expect(await here.ctr('content', 'ls', '-q')).toBe(before)
    await here.countsBeyond('one', await here.numbers('one'))
    await here.remove('one')
  })

  it('D11 that are hostile are refused by name, and leave nothing', async () => {
    await using connected = connect({ address: server.address, namespace: here.lab.namespace })
    await using lease = await connected.createLease()
    const { client } = lease
    await here.ctr('containers', 'create', here.lab.image, 'one', 'true')
    await here.start('first')
    const [genuine] = await client.tasks.checkpoint('first')
    await here.remove('first')
    const archive = await buffer(client.content.read(genuine!.digest))
    const descriptors = JSON.stringify(['/dev/null', '/dev/null', '/dev/null', 'pipe:[1]'])
    const hostile = [
      { name: 'container.log', type: '2', linkName: '/etc/shadow', words: /"container\.log": a symlink/ },
      { name: '../x', content: 'x', words: /"\.\.\/x": a name with/ },
      { name: 'inventory.img', content: 'x', words: /"inventory\.img": is there twice/ },
    ].map(({ words, ...entry }) => ({ words, bytes: Buffer.concat([rawEntry(entry), archive]) }))
    hostile.push({
      words: /"descriptors\.json": 4 descriptors/,
      bytes: Buffer.from(rawTar(rawEntry({ name: 'descriptors.json', content: descriptors }))),
    })
    for (const { words, bytes } of hostile) {
      const digest = digestOf(bytes)
      await using writer = await client.content.writer({ ref: digest, total: bytes.length })
      await writer.write(bytes)
      await writer.commit()
      const checkpoint = { mediaType: mediaTypes.checkpointCriu, digest, size: bytes.length }
      await expect(client.tasks.create('one', { checkpoint })).rejects.toThrow(words)
      await client.content.delete(digest)
    }
    expect(existsSync(join(server.state, 'io.containerd.runtime.v2.task', here.lab.namespace, 'one'))).toBe(
      false,
    )
    expect((await here.ctr('images', 'ls', '-q')).trim()).toBe(here.lab.image)
    await here.ctr('containers', 'rm', 'one')
  })

  describe.each([
    ['from here to containerd', () => [here, there] as const],
    ['from containerd to here', () => [there, here] as const],
    ['to another server', () => [here, elsewhere] as const],
  ])('travel %s', (_what, ends) => {
    it('in archives, and go on there', async () => {
      const [from, to] = ends()
      await from.start('one')
      await from.countsBeyond('one', 2)
      await from.ctr('containers', 'checkpoint', '--rw', '--image', '--task', 'one', 'whole')
      const last = await from.numbers('one')
      await from.remove('one')
      const archive = join(from.lab.directory, 'whole.tar')
      // What is no image has no place in the manifest.json of an archive, nor can it be unpacked.
      await from.ctr('images', 'export', '--skip-manifest-json', archive, 'whole')
      await to.ctr('images', 'import', '--no-unpack', archive)
      expect(await to.index('whole')).toEqual(await from.index('whole'))
      await to.ctr('containers', 'restore', '--rw', '--live', 'one', 'whole')
      await to.countsBeyond('one', last)
      await to.remove('one')
      for (const each of [from, to]) await each.ctr('images', 'rm', '--sync', 'whole')
    })
  })
})
