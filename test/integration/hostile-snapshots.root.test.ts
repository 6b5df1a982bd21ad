import { existsSync } from 'node:fs'
import { mkdir, readdir, stat, symlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { packAny } from '@nsbox/api'
import { CheckpointOptionsSchema, OptionsSchema } from '@nsbox/api/gen/types/runc/options/oci_pb'
import type { DiffMount } from '@nsbox/core/diff'
import { mount, unmount } from '@nsbox/mount'
import { bindMount, encodeSpec, type SpecOption, withCapabilities, withMounts } from '@nsbox/oci/runtime-spec'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, it } from 'vitest'
import { bind, key, refusal, useSnapshotLab, type WantedTask } from './snapshot-lab.ts'

const attacker = 'hostile-snapshots'

describeWith({ root: true, linux: true, programs: ['runc', 'busybox'] }, 'snapshots and tasks', () => {
  const lab = useSnapshotLab(attacker)

  /** Runs a container to its end. */
  async function run(id: string, wanted: WantedTask): Promise<void> {
    await lab().start(id, wanted)
    expect((await lab().client.tasks.wait(id)).exitStatus).toBe(0)
  }

  const root =
    (path: string): SpecOption =>
    (spec) => ({ ...spec, root: { ...spec.root, path } })
  const touch = (path: string) => ['sh', '-c', `echo evil > ${path}`]
  const mounted = (source: string, options = ['rbind', 'rw']): SpecOption =>
    withMounts([{ ...bindMount(source, '/mnt'), options }])
  const within = (path: string, scratchName: string) => join(lab().scratch, scratchName, basename(path))

  /** Each writes to a snapshot after the good layer was applied, or before; or is kept from it. */
  const attacks: Readonly<Record<string, (directory: string) => Promise<unknown>>> = {
    'a layer by an overlay that is a bind mount too': (directory) =>
      lab().client.applier.apply(lab().other, [
        { type: 'overlay', source: directory, options: ['bind', `upperdir=${lab().scratch}`] },
      ]),
    'a layer by a bind mount elsewhere on the host': async (directory) => {
      const place = join(lab().scratch, 'bound')
      await mkdir(place, { recursive: true })
      await mount(bind(dirname(directory), 'rbind'), place)
      try {
        await lab().client.applier.apply(lab().other, [bind(join(place, basename(directory)), 'rbind', 'rw')])
      } finally {
        await unmount(place)
      }
    },
    'a task whose root is ro and rw': (directory) =>
      run('hostile', { args: touch('/evil'), rootfs: [bind(directory, 'rbind', 'ro', 'rw')] }),
    'a task whose read-only root is mounted a second time': async (directory) => {
      const bundle = join(lab().server.state, 'io.containerd.runtime.v2.task', attacker, 'hostile/rootfs')
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
      const place = join(lab().scratch, 'bound')
      await mkdir(place, { recursive: true })
      await mount(bind(join(directory, 'tmp'), 'rbind'), place)
      try {
        await run('hostile', { args: touch('/mnt/evil'), spec: [mounted(place)] })
        await lab().end('hostile')
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
                `lowerdir=${lab().scratch}/rootfs/etc,upperdir=${directory},workdir=${join(lab().scratch, 'work')}`,
              ],
            },
          ]),
        ],
      }),
    'output of a task to a file': (directory) =>
      run('hostile', { args: ['echo', 'evil'], stdout: `file://${directory}/evil` }),
    'output of an exec to a file': async (directory) => {
      await lab().start('hostile')
      const process = { args: ['echo', 'evil'], env: ['PATH=/bin'], cwd: '/', user: { uid: 0, gid: 0 } }
      const value = encodeSpec(process)
      await lab().client.tasks.exec('hostile', 'more', {
        ...{ stdin: '', stdout: `file://${directory}/evil`, stderr: '', terminal: false },
        spec: { typeUrl: 'types.containerd.io/opencontainers/runtime-spec/1/Process', value },
      })
      await lab().client.tasks.start('hostile', { execId: 'more' })
      await lab().client.tasks.wait('hostile', { execId: 'more' })
    },
    'the state of a runtime': (directory) =>
      run('hostile', { args: ['true'], options: packAny(OptionsSchema, { root: join(directory, 'evil') }) }),
    'the images of a checkpoint': async (directory) => {
      await lab().start('hostile')
      const options = packAny(CheckpointOptionsSchema, { imagePath: join(directory, 'evil') })
      await lab()
        .client.tasks.checkpoint('hostile', { options })
        .catch(() => undefined)
    },
    'a container that may change its mounts': (directory) =>
      run('hostile', {
        args: ['sh', '-c', 'mount -o remount,bind,rw /mnt && echo evil > /mnt/evil'],
        spec: [withCapabilities(['CAP_SYS_ADMIN']), mounted(directory, ['rbind', 'ro'])],
      }),
  }

  for (const [what, attack] of Object.entries(attacks)) {
    it(`D23 E02 nobody adopts what somebody has written to by ${what}`, async () => {
      await lab().attack()
      const directory = await lab().unpacked()
      const outcome = await refusal(attack(directory))
      await lab().client.snapshotter().commit(lab().layer.digest, key)
      const poisoned = (await changedNames(directory)).length > 0
      // Else the attack is none.
      if (outcome === 'done') expect(poisoned).toBe(true)
      else expect([outcome, poisoned]).toEqual(['invalid_argument', false])
      const victim = await lab().tenant('victim')
      const adopted = await refusal(victim.snapshotter().stat(lab().layer.digest))
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
    await lab().attack()
    await mkdir(join(lab().scratch, 'rootfs/snapshots'), { recursive: true })
    const snapshots = join(lab().server.root, 'snapshots/overlayfs/snapshots')
    const script =
      'until ls -d /mnt/*/fs/bin/busybox; do sleep 0.1; done; for d in /mnt/*/fs; do echo > $d/evil; done'
    const args = ['sh', '-c', script]
    await lab().start('early', { args, spec: [mounted(snapshots)] })
    // What one server knows of it, the next one knows.
    await lab().server.kill()
    await lab().server.restart()
    const directory = await lab().unpacked()
    await lab().client.tasks.wait('early')
    expect(await readdir(directory)).toContain('evil')
    await lab().client.snapshotter().commit(lab().layer.digest, key)
    const victim = await lab().tenant('victim')
    expect(await refusal(victim.snapshotter().stat(lab().layer.digest))).toBe('not_found')
  })

  it('E02 a task is not given what others have adopted, if it could write to it', async () => {
    await lab().attack()
    const directory = await lab().unpacked()
    await lab().client.snapshotter().commit(lab().layer.digest, key)
    const victim = await lab().tenant('victim')
    await victim.snapshotter().stat(lab().layer.digest)
    const before = await stat(directory)
    const ro = ['rbind', 'ro']
    const attempts: Readonly<Record<string, WantedTask>> = {
      root: { rootfs: [bind(directory, 'rbind', 'rw')] },
      contradiction: { rootfs: [bind(directory, 'rbind', 'ro', 'rw')] },
      upper: {
        rootfs: [
          {
            type: 'overlay',
            source: 'overlay',
            options: [
              `lowerdir=${lab().scratch}/rootfs`,
              `upperdir=${directory}`,
              `workdir=${dirname(directory)}`,
            ],
          },
        ],
      },
      spec: { rootfs: [], spec: [root(directory)] },
      mount: { spec: [mounted(directory)] },
      parent: { spec: [mounted(dirname(directory))] },
      all: { spec: [mounted(join(lab().server.root, 'snapshots'))] },
      output: { stdout: `file://${directory}/evil` },
      changing: { spec: [withCapabilities(['CAP_SYS_ADMIN']), mounted(directory, ro)] },
    }
    for (const [id, wanted] of Object.entries(attempts))
      expect([id, await refusal(lab().start(id, wanted))]).toEqual([id, 'failed_precondition'])
    expect(await lab().client.tasks.list()).toEqual([])
    // Read-only it is given to anybody, but not to an exec that could change that.
    await lab().start('reader', { spec: [mounted(directory, ro)] })
    const process = { args: ['true'], env: [], cwd: '/', user: { uid: 0, gid: 0 } }
    const capabilities = { bounding: ['CAP_SYS_ADMIN'], effective: ['CAP_SYS_ADMIN'] }
    const exec = lab().client.tasks.exec('reader', 'changing', {
      ...{ stdin: '', stdout: '', stderr: '', terminal: false },
      spec: {
        typeUrl: 'types.containerd.io/opencontainers/runtime-spec/1/Process',
        value: encodeSpec({ ...process, capabilities }),
      },
    })
    expect(await refusal(exec)).toBe('failed_precondition')
    expect((await stat(directory)).mtimeMs).toBe(before.mtimeMs)
    const third = await lab().tenant('third')
    expect(await refusal(third.snapshotter().stat(lab().layer.digest))).toBe('done')
  })

  it('E02 a layer is not applied to what is committed, by whichever record', async () => {
    await lab().attack()
    const directory = await lab().unpacked()
    await lab().client.snapshotter().commit(lab().layer.digest, key)
    const elsewhere = join(lab().scratch, 'elsewhere')
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
      expect([record, await refusal(lab().client.applier.apply(lab().other, [record]))]).toEqual([
        record,
        'invalid_argument',
      ])
      const compared = lab().client.comparer.compare([], [record])
      expect([record, await refusal(compared)]).toEqual([record, 'invalid_argument'])
    }
    expect(await refusal(lab().client.applier.apply(lab().other, [bind(directory, 'rw')]))).toBe(
      'failed_precondition',
    )
    expect(await readdir(elsewhere)).toEqual([])
    expect(existsSync(join(directory, 'evil'))).toBe(false)
  })
})
