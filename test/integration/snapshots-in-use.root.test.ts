import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { encodeSpec } from '@nsbox/oci/runtime-spec'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, it } from 'vitest'
import { bind, key, refusal, useSnapshotLab } from './snapshot-lab.ts'

const attacker = 'snapshots-in-use'

describeWith({ root: true, linux: true, programs: ['runc', 'busybox'] }, 'snapshots and tasks', () => {
  const lab = useSnapshotLab(attacker)

  async function collect(): Promise<void> {
    const { id } = await lab().client.withNamespace(attacker).leases.create()
    await lab().client.withNamespace(attacker).leases.delete(id, { sync: true })
  }

  /** A container of a snapshot on top of the good layer, whose task runs. */
  async function running(id: string): Promise<{ readonly upper: string; readonly lower: string }> {
    const lower = await lab().unpacked()
    await lab().client.snapshotter().commit(lab().layer.digest, key)
    const [mounts] = await lab().client.snapshotter().prepare(id, lab().layer.digest)
    const upper = mounts!.options.find((option) => option.startsWith('upperdir='))!.slice('upperdir='.length)
    const args = [
      'sh',
      '-c',
      'echo kept > /kept; while [ ! -e /go ]; do sleep 0.1; done; cat /kept > /seen; sleep 1000',
    ]
    await lab().start(id, { args }, id)
    await expect.poll(() => existsSync(join(upper, 'kept'))).toBe(true)
    return { upper, lower }
  }

  /** Nothing but the task holds the snapshots any more. */
  async function letGo(id: string): Promise<void> {
    await lab().client.containers.delete(id)
    for (const { id } of await lab().client.leases.list())
      await lab().client.leases.delete(id, { sync: true })
    const left: string[] = []
    for await (const { name } of lab().client.withNamespace(attacker).snapshotter().list()) left.push(name)
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
    const [task] = await lab().client.tasks.list()
    const id = task!.containerId
    await lab().client.tasks.exec(id, execId, {
      ...{ stdin: '', stdout: '', stderr: '', terminal: false },
      spec: { typeUrl: 'types.containerd.io/opencontainers/runtime-spec/1/Process', value },
    })
    await lab().client.tasks.start(id, { execId })
    expect((await lab().client.tasks.wait(id, { execId })).exitStatus).toBe(0)
    await lab().client.tasks.deleteProcess(id, execId)
  }

  it.each([
    ['while the server runs', async () => {}],
    [
      'across a crash of the server',
      () =>
        lab()
          .server.kill()
          .then(() => lab().server.restart()),
    ],
    [
      'across another start of the server',
      () =>
        lab()
          .server.stop()
          .then(() => lab().server.restart()),
    ],
  ])('E01 a snapshot that a task uses stays until the task is gone, %s', async (_, between) => {
    await lab().attack()
    const directories = await running('kept')
    await letGo('kept')
    await isWhole(directories)
    await between()
    // The first collection after a start looks for what nobody has.
    for (let round = 0; round < 3; round++) await collect()
    await isWhole(directories)
    await lab().end('kept')
    await collect()
    for (const directory of Object.values(directories))
      expect([directory, existsSync(directory)]).toEqual([directory, false])
  })

  it('E01 removing a snapshot that a task uses is done at once, and its files wait', async () => {
    await lab().attack()
    const directories = await running('removed')
    await lab().client.containers.delete('removed')
    await lab().client.snapshotter().remove('removed')
    await lab().client.snapshotter().remove(lab().layer.digest)
    expect(await refusal(lab().client.snapshotter().stat('removed'))).toBe('not_found')
    await lab().client.snapshotter().cleanup()
    await collect()
    await isWhole(directories)
    // The name is free.
    await lab().client.snapshotter().prepare('removed', undefined)
    await lab().end('removed')
    await collect()
    for (const directory of Object.values(directories)) expect(existsSync(directory)).toBe(false)
  })

  it('E01 what a task only reads stays as well, and a task that fails holds nothing', async () => {
    await lab().attack()
    const directory = await lab().unpacked()
    await lab().client.snapshotter().commit(lab().layer.digest, key)
    const [view] = await lab().client.snapshotter().view('view', lab().layer.digest)
    await lab().start('reader', { rootfs: [view!], args: ['sleep', '1000'] })
    await lab().client.containers.delete('reader')
    await lab().client.leases.delete(lab().client.lease!, { sync: true })
    await collect()
    expect((await readdir(join(directory, 'bin'))).length).toBeGreaterThan(100)
    await lab().end('reader')
    await collect()
    expect(existsSync(directory)).toBe(false)

    await lab().attack()
    const again = await lab().unpacked()
    expect(
      await refusal(lab().start('failing', { rootfs: [bind(again, 'rw')], args: ['/missing'] })),
    ).not.toBe('done')
    await lab().client.containers.delete('failing')
    await lab().client.leases.delete(lab().client.lease!, { sync: true })
    await collect()
    expect(existsSync(again)).toBe(false)
  })
})
