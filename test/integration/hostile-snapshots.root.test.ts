import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, stat, symlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { packAny } from '@nsbox/api'
import { CheckpointOptionsSchema, OptionsSchema } from '@nsbox/api/gen/types/runc/options/oci_pb'
import { type ClientView, connect } from '@nsbox/client'
import type { DiffMount } from '@nsbox/core/diff'
import type { CreateTaskOptions } from '@nsbox/core/tasks'
import { errorCode, isNotFound } from '@nsbox/errors'
import { mount, unmount } from '@nsbox/mount'
import { type Descriptor, digestOf, mediaTypes } from '@nsbox/oci'
import {
  bindMount,
  buildSpec,
  defaultSpec,
  encodeSpec,
  type SpecOption,
  withCapabilities,
  withEnv,
  withMounts,
  withProcessArgs,
} from '@nsbox/oci/runtime-spec'
import { busyboxLayer, busyboxRootfs, type RootfsMount, removeCgroup, tar, tempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { startServer, type TestServer } from './programs.ts'

const attacker = 'hostile-snapshots'
const key = 'work'

/** A container and its task. */
interface Wanted extends CreateTaskOptions {
  readonly args?: readonly string[]
  readonly spec?: readonly SpecOption[]
}

describeWith({ root: true, linux: true, programs: ['runc', 'busybox'] }, 'snapshots and tasks', () => {
  const resources = new AsyncDisposableStack()
  let server: TestServer
  let client: ClientView
  let scratch: string
  /** Root of containers that have no snapshot. */
  let rootfs: RootfsMount[]
  let layer: Descriptor & { readonly bytes: Uint8Array }
  let other: Descriptor & { readonly bytes: Uint8Array }

  beforeAll(async () => {
    scratch = resources.use(await tempDir('nsbox-hostile')).path
    rootfs = await busyboxRootfs(join(scratch, 'rootfs'))
    for (const name of ['rootfs/mnt', 'work']) await mkdir(join(scratch, name))
    resources.defer(() => removeCgroup(attacker))
    server = resources.use(await startServer())
    client = resources.use(connect({ address: server.address, namespace: attacker }))
    layer = blob(await bytesOf(tar([...(await busyboxLayer()).entries, ...['run', 'mnt'].map(directory)])))
    other = blob(await bytesOf(tar([{ name: 'evil', content: 'evil' }])))
  })
  afterEach(async () => {
    for (const { containerId } of await client.tasks.list()) await end(containerId)
    for await (const { id } of client.containers.list()) await client.containers.delete(id)
    for (const namespace of [attacker, 'victim', 'third']) {
      const { leases } = client.withNamespace(namespace)
      for (const { id } of await leases.list()) await leases.delete(id, { sync: true })
    }
  })
  afterAll(() => resources.disposeAsync())

  async function bytesOf(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<Uint8Array> {
    const all: Uint8Array[] = []
    for await (const chunk of chunks) all.push(chunk)
    return Buffer.concat(all)
  }

  function blob(bytes: Uint8Array): typeof layer {
    return { mediaType: mediaTypes.ociLayer, digest: digestOf(bytes), size: bytes.length, bytes }
  }

  /** A namespace under a lease of its own. */
  async function tenant(namespace: string): Promise<ClientView> {
    const view = client.withNamespace(namespace)
    const { id } = await view.leases.create()
    return view.withLease(id)
  }

  async function store(view: ClientView, { bytes, digest }: typeof layer): Promise<void> {
    const writer = await view.content.writer({ ref: digest, expected: digest }).catch(() => undefined)
    if (writer === undefined) return
    if (writer.status().offset === 0) await writer.write(bytes)
    await writer.commit({ expected: digest })
  }

  /** An active snapshot, to which the server has applied the good layer unless asked not to. */
  async function unpacked(view: ClientView, { apply = true } = {}): Promise<string> {
    await store(view, layer)
    await store(view, other)
    const mounts = await view.snapshotter().prepare(key, undefined)
    if (apply) await view.applier.apply(layer, mounts)
    return mounts[0]!.source
  }

  async function start(
    id: string,
    { args = ['sleep', '1000'], spec = [], ...task }: Wanted = {},
    snapshotKey = '',
  ): Promise<void> {
    const wishes = [withProcessArgs(args), withEnv(['PATH=/bin']), ...spec]
    await client.containers.create({
      id,
      spec: {
        typeUrl: 'types.containerd.io/opencontainers/runtime-spec/1/Spec',
        value: encodeSpec(buildSpec(defaultSpec({ id, namespace: attacker }), wishes)),
      },
      runtime: { name: 'io.containerd.runc.v2' },
      ...(snapshotKey === '' ? {} : { snapshotter: 'overlayfs', snapshotKey }),
    })
    await client.tasks.create(id, snapshotKey === '' ? { rootfs, ...task } : task)
    await client.tasks.start(id)
  }

  async function end(id: string): Promise<void> {
    await client.tasks.kill(id, 9).catch((error: unknown) => {
      if (!isNotFound(error)) throw error
    })
    if ((await client.tasks.get(id)).status !== 'created') await client.tasks.wait(id)
    await client.tasks.delete(id)
  }

  /** Runs a container to its end. */
  async function run(id: string, wanted: Wanted): Promise<void> {
    await start(id, wanted)
    expect((await client.tasks.wait(id)).exitStatus).toBe(0)
  }

  const directory = (name: string) => ({ type: 'directory', name }) as const
  const refusal = (attempt: Promise<unknown>) => attempt.then(() => 'done', errorCode)
  const bind = (source: string, ...options: string[]): DiffMount => ({ type: 'bind', source, options })
  const root =
    (path: string): SpecOption =>
    (spec) => ({ ...spec, root: { ...spec.root, path } })
  const touch = (path: string) => ['sh', '-c', `echo evil > ${path}`]
  const mounted = (source: string, options = ['rbind', 'rw']): SpecOption =>
    withMounts([{ ...bindMount(source, '/mnt'), options }])
  const within = (path: string, scratchName: string) => join(scratch, scratchName, basename(path))

  /** Each writes to a snapshot after the good layer was applied, or before; or is kept from it. */
  const attacks: Readonly<Record<string, (directory: string) => Promise<unknown>>> = {
    'a layer by an overlay that is a bind mount too': (directory) =>
      client.applier.apply(other, [
        { type: 'overlay', source: directory, options: ['bind', `upperdir=${scratch}`] },
      ]),
    'a layer by a bind mount elsewhere on the host': async (directory) => {
      const place = join(scratch, 'bound')
      await mkdir(place, { recursive: true })
      await mount(bind(dirname(directory), 'rbind'), place)
      try {
        await client.applier.apply(other, [bind(join(place, basename(directory)), 'rbind', 'rw')])
      } finally {
        await unmount(place)
      }
    },
    'a task whose root is ro and rw': (directory) =>
      run('hostile', { args: touch('/evil'), rootfs: [bind(directory, 'rbind', 'ro', 'rw')] }),
    'a task whose read-only root is mounted a second time': async (directory) => {
      const bundle = join(server.state, 'tasks/bundles', attacker, 'hostile/rootfs')
      await run('hostile', {
        args: touch('/tmp/evil; ls /tmp'),
        rootfs: [
          bind(directory, 'rbind', 'ro'),
          { ...bind(join(bundle, 'tmp'), 'rbind', 'rw'), target: 'tmp' },
        ],
      })
    },
    'a task whose read-only root is changed by another mount': (directory) =>
      run('hostile', {
        args: touch('/evil'),
        rootfs: [bind(directory, 'rbind', 'ro'), bind('', 'bind', 'remount', 'rw')],
      }),
    'a spec whose root it is': (directory) =>
      run('hostile', { args: touch('/evil'), rootfs: [], spec: [root(directory)] }),
    'a mount of a spec': (directory) =>
      run('hostile', { args: touch('/mnt/evil'), spec: [mounted(directory)] }),
    'a mount of a spec that is ro and rw': (directory) =>
      run('hostile', { args: touch('/mnt/evil'), spec: [mounted(directory, ['rbind', 'ro', 'rw'])] }),
    'a mount of a spec that only says rbind': (directory) =>
      run('hostile', {
        args: touch('/mnt/evil'),
        spec: [withMounts([{ destination: '/mnt', type: 'none', source: directory, options: ['rbind'] }])],
      }),
    'a mount of its parent': (directory) =>
      run('hostile', {
        args: touch(`/mnt/${basename(directory)}/evil`),
        spec: [mounted(dirname(directory))],
      }),
    'a mount of a directory in it': (directory) =>
      run('hostile', { args: touch('/mnt/evil'), spec: [mounted(join(directory, 'tmp'))] }),
    'a mount by a symbolic link': async (directory) => {
      await symlink(directory, within(directory, 'rootfs')).catch(() => undefined)
      await run('hostile', { args: touch('/mnt/evil'), spec: [mounted(within(directory, 'rootfs'))] })
    },
    'a mount by a path that is relative to the bundle': (directory) =>
      run('hostile', { args: touch('/mnt/evil'), spec: [mounted(`${'../'.repeat(30)}..${directory}`)] }),
    'a mount of a second mount elsewhere on the host': async (directory) => {
      const place = join(scratch, 'bound')
      await mkdir(place, { recursive: true })
      await mount(bind(join(directory, 'tmp'), 'rbind'), place)
      try {
        await run('hostile', { args: touch('/mnt/evil'), spec: [mounted(place)] })
        await end('hostile')
      } finally {
        await unmount(place)
      }
    },
    'an overlay of a spec': (directory) =>
      run('hostile', {
        args: touch('/mnt/evil'),
        spec: [
          withMounts([
            {
              destination: '/mnt',
              type: 'overlay',
              source: 'overlay',
              options: [
                `lowerdir=${scratch}/rootfs/etc,upperdir=${directory},workdir=${join(scratch, 'work')}`,
              ],
            },
          ]),
        ],
      }),
    'output of a task to a file': (directory) =>
      run('hostile', { args: ['echo', 'evil'], stdout: `file://${directory}/evil` }),
    'output of an exec to a file': async (directory) => {
      await start('hostile')
      const process = { args: ['echo', 'evil'], env: ['PATH=/bin'], cwd: '/', user: { uid: 0, gid: 0 } }
      const value = encodeSpec(process)
      await client.tasks.exec('hostile', 'more', {
        ...{ stdin: '', stdout: `file://${directory}/evil`, stderr: '', terminal: false },
        spec: { typeUrl: 'types.containerd.io/opencontainers/runtime-spec/1/Process', value },
      })
      await client.tasks.start('hostile', { execId: 'more' })
      await client.tasks.wait('hostile', { execId: 'more' })
    },
    'the state of a runtime': (directory) =>
      run('hostile', { args: ['true'], options: packAny(OptionsSchema, { root: join(directory, 'evil') }) }),
    'the images of a checkpoint': async (directory) => {
      await start('hostile')
      const options = packAny(CheckpointOptionsSchema, { imagePath: join(directory, 'evil') })
      await client.tasks.checkpoint('hostile', { options }).catch(() => undefined)
    },
    'a container that may change its mounts': (directory) =>
      run('hostile', {
        args: ['sh', '-c', 'mount -o remount,bind,rw /mnt && echo evil > /mnt/evil'],
        spec: [withCapabilities(['CAP_SYS_ADMIN']), mounted(directory, ['rbind', 'ro'])],
      }),
  }

  for (const [what, attack] of Object.entries(attacks)) {
    it(`D23 E02 nobody adopts what somebody has written to by ${what}`, async () => {
      client = await tenant(attacker)
      const directory = await unpacked(client)
      const outcome = await refusal(attack(directory))
      await client.snapshotter().commit(layer.digest, key)
      const poisoned = (await changedNames(directory)).length > 0
      // Else the attack is none.
      if (outcome === 'done') expect(poisoned).toBe(true)
      else expect([outcome, poisoned]).toEqual(['invalid_argument', false])
      const victim = await tenant('victim')
      const adopted = await refusal(victim.snapshotter().stat(layer.digest))
      expect(adopted).toBe(poisoned ? 'not_found' : 'done')
    })
  }

  /** What is in a snapshot of the good layer and not in the layer. */
  async function changedNames(directory: string): Promise<string[]> {
    const found: string[] = []
    for (const place of ['.', 'tmp', 'dev', 'proc', 'sys', 'etc']) {
      const names = await readdir(join(directory, place)).catch(() => [])
      found.push(...names.filter((name) => ['evil', 'pts', 'shm', 'mqueue', 'cgroup'].includes(name)))
    }
    return found
  }

  it('D23 E02 nobody adopts what was made where a task can write', async () => {
    client = await tenant(attacker)
    await mkdir(join(scratch, 'rootfs/snapshots'), { recursive: true })
    const snapshots = join(server.root, 'snapshots/overlayfs/snapshots')
    const script =
      'until ls -d /mnt/*/fs/bin/busybox; do sleep 0.1; done; for d in /mnt/*/fs; do echo > $d/evil; done'
    const args = ['sh', '-c', script]
    await start('early', { args, spec: [mounted(snapshots)] })
    // What one server knows of it, the next one knows.
    await server.kill()
    await server.restart()
    const directory = await unpacked(client)
    await client.tasks.wait('early')
    expect(await readdir(directory)).toContain('evil')
    await client.snapshotter().commit(layer.digest, key)
    const victim = await tenant('victim')
    expect(await refusal(victim.snapshotter().stat(layer.digest))).toBe('not_found')
  })

  it('E02 a task is not given what others have adopted, if it could write to it', async () => {
    client = await tenant(attacker)
    const directory = await unpacked(client)
    await client.snapshotter().commit(layer.digest, key)
    const victim = await tenant('victim')
    await victim.snapshotter().stat(layer.digest)
    const before = await stat(directory)
    const ro = ['rbind', 'ro']
    const attempts: Readonly<Record<string, Wanted>> = {
      root: { rootfs: [bind(directory, 'rbind', 'rw')] },
      contradiction: { rootfs: [bind(directory, 'rbind', 'ro', 'rw')] },
      upper: {
        rootfs: [
          {
            type: 'overlay',
            source: 'overlay',
            options: [`lowerdir=${scratch}/rootfs`, `upperdir=${directory}`, `workdir=${dirname(directory)}`],
          },
        ],
      },
      spec: { rootfs: [], spec: [root(directory)] },
      mount: { spec: [mounted(directory)] },
      parent: { spec: [mounted(dirname(directory))] },
      all: { spec: [mounted(join(server.root, 'snapshots'))] },
      output: { stdout: `file://${directory}/evil` },
      changing: { spec: [withCapabilities(['CAP_SYS_ADMIN']), mounted(directory, ro)] },
    }
    for (const [id, wanted] of Object.entries(attempts))
      expect([id, await refusal(start(id, wanted))]).toEqual([id, 'failed_precondition'])
    expect(await client.tasks.list()).toEqual([])
    // Read-only it is given to anybody, but not to an exec that could change that.
    await start('reader', { spec: [mounted(directory, ro)] })
    const process = { args: ['true'], env: [], cwd: '/', user: { uid: 0, gid: 0 } }
    const capabilities = { bounding: ['CAP_SYS_ADMIN'], effective: ['CAP_SYS_ADMIN'] }
    const exec = client.tasks.exec('reader', 'changing', {
      ...{ stdin: '', stdout: '', stderr: '', terminal: false },
      spec: {
        typeUrl: 'types.containerd.io/opencontainers/runtime-spec/1/Process',
        value: encodeSpec({ ...process, capabilities }),
      },
    })
    expect(await refusal(exec)).toBe('failed_precondition')
    expect((await stat(directory)).mtimeMs).toBe(before.mtimeMs)
    const third = await tenant('third')
    expect(await refusal(third.snapshotter().stat(layer.digest))).toBe('done')
  })

  it('E02 a layer is not applied to what is committed, by whichever record', async () => {
    client = await tenant(attacker)
    const directory = await unpacked(client)
    await client.snapshotter().commit(layer.digest, key)
    const elsewhere = join(scratch, 'elsewhere')
    await mkdir(elsewhere, { recursive: true })
    const records: readonly DiffMount[] = [
      { type: 'overlay', source: directory, options: ['bind', `upperdir=${elsewhere}`] },
      { type: 'overlay', source: directory, options: [`upperdir=${elsewhere}`, 'rbind'] },
      { type: 'bind', source: elsewhere, options: ['rw', `upperdir=${directory}`] },
      { type: 'overlay', source: 'overlay', options: [`upperdir=${elsewhere}`, `upperdir=${directory}`] },
      { type: 'bind', source: directory, options: ['rw', 'ro'] },
      { type: 'bind', source: directory, options: ['remount', 'rw'] },
      { type: 'ext4', source: directory, options: ['bind'] },
    ]
    for (const record of records) {
      expect([record, await refusal(client.applier.apply(other, [record]))]).toEqual([
        record,
        'invalid_argument',
      ])
      const compared = client.comparer.compare([], [record])
      expect([record, await refusal(compared)]).toEqual([record, 'invalid_argument'])
    }
    expect(await refusal(client.applier.apply(other, [bind(directory, 'rw')]))).toBe('failed_precondition')
    expect(await readdir(elsewhere)).toEqual([])
    expect(existsSync(join(directory, 'evil'))).toBe(false)
  })

  /** A container of a snapshot on top of the good layer, whose task runs. */
  async function running(id: string): Promise<{ readonly upper: string; readonly lower: string }> {
    const lower = await unpacked(client)
    await client.snapshotter().commit(layer.digest, key)
    const [mounts] = await client.snapshotter().prepare(id, layer.digest)
    const upper = mounts!.options.find((option) => option.startsWith('upperdir='))!.slice('upperdir='.length)
    const args = [
      'sh',
      '-c',
      'echo kept > /kept; while [ ! -e /go ]; do sleep 0.1; done; cat /kept > /seen; sleep 1000',
    ]
    await start(id, { args }, id)
    await expect.poll(() => existsSync(join(upper, 'kept'))).toBe(true)
    return { upper, lower }
  }

  /** Nothing but the task holds the snapshots any more. */
  async function letGo(id: string): Promise<void> {
    await client.containers.delete(id)
    for (const { id } of await client.leases.list()) await client.leases.delete(id, { sync: true })
    const left: string[] = []
    for await (const { name } of client.withNamespace(attacker).snapshotter().list()) left.push(name)
    expect(left).toEqual([])
  }

  async function isWhole({
    upper,
    lower,
  }: {
    readonly upper: string
    readonly lower: string
  }): Promise<void> {
    expect(await readFile(join(upper, 'kept'), 'utf8')).toBe('kept\n')
    expect((await readdir(join(lower, 'bin'))).length).toBeGreaterThan(100)
    // Programs of the lower layer and files of the upper one are there within.
    const value = encodeSpec({
      ...{ args: ['sh', '-c', 'ls /bin/busybox && cat /kept > /again'], env: ['PATH=/bin'], cwd: '/' },
      user: { uid: 0, gid: 0 },
    })
    const execId = `look-${Math.random().toString(36).slice(2)}`
    const [task] = await client.tasks.list()
    const id = task!.containerId
    await client.tasks.exec(id, execId, {
      ...{ stdin: '', stdout: '', stderr: '', terminal: false },
      spec: { typeUrl: 'types.containerd.io/opencontainers/runtime-spec/1/Process', value },
    })
    await client.tasks.start(id, { execId })
    expect((await client.tasks.wait(id, { execId })).exitStatus).toBe(0)
    await client.tasks.deleteProcess(id, execId)
  }

  async function collect(): Promise<void> {
    const { id } = await client.withNamespace(attacker).leases.create()
    await client.withNamespace(attacker).leases.delete(id, { sync: true })
  }

  it.each([
    ['while the server runs', async () => {}],
    ['across a crash of the server', () => server.kill().then(() => server.restart())],
    ['across another start of the server', () => server.stop().then(() => server.restart())],
  ])('E01 a snapshot that a task uses stays until the task is gone, %s', async (_, between) => {
    client = await tenant(attacker)
    const directories = await running('kept')
    await letGo('kept')
    await isWhole(directories)
    await between()
    // The first collection after a start looks for what nobody has.
    for (let round = 0; round < 3; round++) await collect()
    await isWhole(directories)
    await end('kept')
    await collect()
    for (const directory of Object.values(directories))
      expect([directory, existsSync(directory)]).toEqual([directory, false])
  })

  it('E01 removing a snapshot that a task uses is done at once, and its files wait', async () => {
    client = await tenant(attacker)
    const directories = await running('removed')
    await client.containers.delete('removed')
    await client.snapshotter().remove('removed')
    await client.snapshotter().remove(layer.digest)
    expect(await refusal(client.snapshotter().stat('removed'))).toBe('not_found')
    await client.snapshotter().cleanup()
    await collect()
    await isWhole(directories)
    // The name is free.
    await client.snapshotter().prepare('removed', undefined)
    await end('removed')
    await collect()
    for (const directory of Object.values(directories)) expect(existsSync(directory)).toBe(false)
  })

  it('E01 what a task only reads stays as well, and a task that fails holds nothing', async () => {
    client = await tenant(attacker)
    const directory = await unpacked(client)
    await client.snapshotter().commit(layer.digest, key)
    const [view] = await client.snapshotter().view('view', layer.digest)
    await start('reader', { rootfs: [view!], args: ['sleep', '1000'] })
    await client.containers.delete('reader')
    await client.leases.delete(client.lease!, { sync: true })
    await collect()
    expect((await readdir(join(directory, 'bin'))).length).toBeGreaterThan(100)
    await end('reader')
    await collect()
    expect(existsSync(directory)).toBe(false)

    client = await tenant(attacker)
    const again = await unpacked(client)
    expect(await refusal(start('failing', { rootfs: [bind(again, 'rw')], args: ['/missing'] }))).not.toBe(
      'done',
    )
    await client.containers.delete('failing')
    await client.leases.delete(client.lease!, { sync: true })
    await collect()
    expect(existsSync(again)).toBe(false)
  })
})
