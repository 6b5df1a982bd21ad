import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { bundleSources, run } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, test } from 'vitest'
import { type FakeRunc, fakeRunc } from '../testing/fake-runc.ts'
import { counter, echo, RestoreBench } from '../testing/restore-bench.ts'

const needs = { root: true, linux: true, programs: ['runc', 'busybox', 'criu', 'mkfifo'] } as const

describeWith(needs, 'a task that goes on from a checkpoint', () => {
  test('is there for the next daemon before its start, with its images and no others', async () => {
    await using bench = await RestoreBench.open()
    const { images, rootfs } = await bench.counted()
    const spec = bench.spec('one', counter)
    await bench.tasks.create('one', { rootfs, spec, restore: bench.copyOf(images) })
    const [made] = readdirSync(bench.images)
    mkdirSync(join(bench.images, 'images-left'))
    await bench.reopen()
    expect(readdirSync(bench.images)).toEqual([made])
    expect(await bench.tasks.get('one')).toMatchObject({ status: 'created', pid: 0 })
    const { pid } = await bench.tasks.start('one')
    expect(await bench.tasks.get('one')).toMatchObject({ status: 'running', pid })
    await bench.reopen()
    expect(await bench.tasks.get('one')).toMatchObject({ status: 'running', pid })
    await bench.tasks.kill('one', 9)
    expect(await bench.tasks.wait('one')).toMatchObject({ exitStatus: 137 })
    await bench.tasks.delete('one')
    expect(bench.topics()).toEqual(['/tasks/create', '/tasks/start', '/tasks/exit', '/tasks/delete'])
    expect(bench.left()).toEqual([])
    expect(bench.warnings).toEqual([])
  })

  test('can be started if its record is of the first program that made such ones', async () => {
    await using bench = await RestoreBench.open()
    const { images, rootfs } = await bench.counted()
    await bench.tasks.create('one', { rootfs, spec: bench.spec('one', counter), options: bench.from(images) })
    const path = join(bench.directory, 'bundles/bench/one/task.json')
    const { restore, ...record } = JSON.parse(readFileSync(path, 'utf8'))
    const first = { images: restore.images, owned: restore.owned, hostname: restore.hostname }
    writeFileSync(path, JSON.stringify({ ...record, restore: first }))
    await bench.reopen()
    const { pid } = await bench.tasks.start('one')
    const [own, hosts] = [pid, 'self'].map((of) => readlinkSync(`/proc/${of}/ns/net`))
    expect(own).not.toBe(hosts)
    const { stdout } = await run('nsenter', [`--net=/proc/${pid}/ns/net`, 'ip', '-o', 'link', 'show', 'up'])
    expect(stdout).toContain('lo:')
    await bench.tasks.kill('one', 9)
    await bench.tasks.wait('one')
    await bench.tasks.delete('one')
    expect(bench.left()).toEqual([])
    expect(bench.warnings).toEqual([])
  })

  test('has been started if its process is there, whoever was told', async () => {
    await using bench = await RestoreBench.open()
    const { images, rootfs } = await bench.counted()
    const spec = bench.spec('one', counter, { spec: { hostname: 'another' } })
    await bench.tasks.create('one', { rootfs, spec, restore: bench.copyOf(images) })
    const record = join(bench.directory, 'bundles/bench/one/task.json')
    const before = readFileSync(record)
    const { pid } = await bench.tasks.start('one')
    // As if the daemon had been killed right after the process was made.
    const set = ['nsenter', [`--uts=/proc/${pid}/ns/uts`, 'hostname', 'not-yet']] as const
    expect((await run(...set)).code).toBe(0)
    bench.events.length = 0
    writeFileSync(record, before)
    await bench.reopen()
    expect(await bench.tasks.get('one')).toMatchObject({ status: 'running', pid })
    expect(bench.events).toMatchObject([{ topic: '/tasks/start', payload: { containerId: 'one', pid } }])
    expect((await run('nsenter', [`--uts=/proc/${pid}/ns/uts`, 'uname', '-n'])).stdout).toBe('another\n')
    await bench.tasks.kill('one', 9)
    expect(await bench.tasks.wait('one')).toMatchObject({ exitStatus: 137 })
    await bench.tasks.delete('one')
    expect(bench.left()).toEqual([])
  })

  for (const hang of ['before', 'after'] as const) {
    test(`can be started again if the daemon was killed while runc was at it, ${hang} its work`, async () => {
      let runc: FakeRunc | undefined
      await using bench = await RestoreBench.open(async (directory) => {
        runc = await fakeRunc(directory)
        return runc.binary
      })
      const { images, rootfs } = await bench.counted()
      const spec = bench.spec('one', counter)
      await bench.tasks.create('one', { rootfs, spec, options: bench.from(images) })
      await runc!.set('restore', { hang })
      await bench.leave()
      const daemon = await startingDaemon(bench)
      await expect.poll(() => runc!.hanging()).toContain('restore')
      daemon.kill('SIGKILL')
      await once(daemon, 'exit')
      await bench.reopen()
      expect(await bench.tasks.get('one')).toMatchObject({ status: 'created', pid: 0 })
      expect(await bench.runc.list()).toEqual([])
      expect(bench.processes()).toEqual([])
      await runc!.set('restore', undefined)
      await bench.tasks.start('one')
      expect(await bench.tasks.get('one')).toMatchObject({ status: 'running' })
      expect(bench.topics()).toEqual(['/tasks/create', '/tasks/start'])
      expect(bench.warnings).toEqual([])
    })
  }

  test('survives the death of its supervisor, and of its daemon, with its input and output', async () => {
    await using bench = await RestoreBench.open()
    const rootfs = await bench.rootfs()
    const spec = bench.spec('one', echo)
    const before = await bench.io()
    await bench.tasks.create('one', { rootfs, spec, ...before.io })
    await bench.tasks.start('one')
    const options = bench.from(await bench.dump('one'))
    const after = await bench.io()
    await bench.tasks.create('one', { rootfs, spec, ...after.io, options })
    const { pid } = await bench.tasks.start('one')
    const [supervisor] = bench.supervisors()
    process.kill(supervisor!, 'SIGKILL')
    await after.stdin.write('first\n')
    await expect.poll(() => after.stdout.text()).toBe('got first\n')
    expect(bench.supervisors()).not.toContain(supervisor)
    await bench.reopen()
    await after.stdin.write('second\n')
    await expect.poll(() => after.stdout.text()).toBe('got first\ngot second\n')
    expect(await bench.tasks.get('one')).toMatchObject({ status: 'running', pid })
    await after.stdin.close()
    await bench.tasks.closeStdin('one')
    // Whether the next supervisor can learn the exit status depends on the kernel's version.
    expect([7, 255]).toContain((await bench.tasks.wait('one')).exitStatus)
    await bench.tasks.delete('one')
    expect(bench.left()).toEqual([])
  })

  test('can be started again if the supervisor was killed while runc was at it', async () => {
    await using bench = await RestoreBench.open()
    const { images, rootfs } = await bench.counted()
    const { tasks } = bench
    for (const moment of [20, 60, 100]) {
      await tasks.create('one', { rootfs, spec: bench.spec('one', counter), options: bench.from(images) })
      const starting = tasks.start('one').then(
        () => true,
        () => false,
      )
      await delay(moment)
      const [supervisor] = bench.supervisors()
      process.kill(supervisor!, 'SIGKILL')
      if (!(await starting)) {
        expect(await tasks.get('one')).toMatchObject({ status: 'created', pid: 0 })
        // What was killed may take a moment to end.
        await expect.poll(() => bench.processes()).toEqual([])
        expect(await bench.runc.list()).toEqual([])
        await tasks.start('one')
      }
      expect(await tasks.get('one')).toMatchObject({ status: 'running' })
      await tasks.kill('one', 9)
      await tasks.wait('one')
      await tasks.delete('one')
      expect(bench.left()).toEqual([])
    }
  })

  test('can be started although a runc that was killed had begun to write the number of the process', async () => {
    await using bench = await RestoreBench.open()
    const { images, rootfs } = await bench.counted()
    const { tasks } = bench
    await tasks.create('one', { rootfs, spec: bench.spec('one', counter), options: bench.from(images) })
    writeFileSync(join(bench.directory, 'bundles/bench/one/.init.pid'), '')
    await tasks.start('one')
    await tasks.kill('one', 9)
    await tasks.wait('one')
    await tasks.delete('one')
  })

  test('goes on again from a checkpoint of itself', async () => {
    await using bench = await RestoreBench.open()
    const { images, rootfs } = await bench.counted()
    const spec = bench.spec('one', counter)
    let from = images
    for (let round = 0; round < 2; round++) {
      const counted = bench.countOf(rootfs).length
      await bench.tasks.create('one', { rootfs, spec, options: bench.from(from) })
      await bench.tasks.start('one')
      await expect.poll(() => bench.countOf(rootfs).length).toBeGreaterThan(counted)
      from = await bench.dump('one')
    }
    const all = bench.countOf(rootfs)
    expect(all).toEqual(all.map((_, index) => index + 1))
  })
})

/** A daemon of its own that starts the task. */
async function startingDaemon(bench: RestoreBench) {
  const source = `
    import { openRuncRuntime } from '../open-runc-runtime.ts'
    const runtime = await openRuncRuntime({ directory: ${JSON.stringify(bench.directory)}, onEvent() {} })
    console.log('up')
    await runtime.namespace('bench').start('one')`
  const program = await bundleSources(source, import.meta.dirname, bench.path)
  const daemon = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(daemon.stdout, 'data')
  return daemon
}
