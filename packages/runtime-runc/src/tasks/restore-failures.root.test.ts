import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { OpaqueValue } from '@nsbox/core/tasks'
import { errorCode } from '@nsbox/errors'
import { describeWith } from '@nsbox/testing/describe-with'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type FakeRunc, fakeRunc, type RuncFault } from '../testing/fake-runc.ts'
import { counter, echo, RestoreBench } from '../testing/restore-bench.ts'

const needs = { root: true, linux: true, programs: ['runc', 'busybox', 'criu', 'mkfifo'] } as const

/** Holds a file open and waits. */
const reader = ['sh', '-c', 'echo 12 bytes.. > /tmp/data; exec 3< /tmp/data; echo ready; read line; cat <&3']

describeWith(needs, 'a start from a checkpoint', () => {
  for (const [what, spoil, words] of [
    ['is missing', (file: string) => rmSync(file), 'file "/tmp/data", which the root filesystem lacks'],
    [
      'has another size',
      (file: string) => writeFileSync(file, 'more than 12 bytes\n'),
      'file "/tmp/data", whose size is 19 and was 11 in the checkpoint',
    ],
  ] as const) {
    test(`fails if a file ${what}, which it names, and can be done again`, async () => {
      await using bench = await RestoreBench.open()
      const { tasks } = bench
      const rootfs = await bench.rootfs()
      const file = join(rootfs[0]!.source, 'tmp/data')
      const before = await bench.io()
      const spec = bench.spec('one', reader)
      await tasks.create('one', { rootfs, spec, ...before.io })
      await tasks.start('one')
      await expect.poll(() => before.stdout.text()).toBe('ready\n')
      const restore = bench.copyOf(await bench.dump('one'))
      const data = readFileSync(file)
      spoil(file)
      const after = await bench.io()
      await tasks.create('one', { rootfs, spec, ...after.io, restore })
      await expect(tasks.start('one')).rejects.toMatchObject({
        code: 'failed_precondition',
        context: expect.stringContaining(
          `OCI runtime restore failed: criu failed: type NOTIFY errno 0: ${words}`,
        ),
      })
      expect(await after.stdout.ended).toBe('')
      expect(await tasks.get('one')).toMatchObject({ status: 'created', pid: 0 })
      writeFileSync(file, data)
      bench.readAgain(after)
      await tasks.start('one')
      await after.stdin.write('\n')
      expect(await tasks.wait('one')).toMatchObject({ exitStatus: 0 })
      expect(await after.stdout.ended).toBe('12 bytes..\n')
      expect(await tasks.delete('one')).toMatchObject({ exitStatus: 0 })
      expect(bench.left()).toEqual([])
    })
  }
})

describeWith(needs, 'a start from a checkpoint is refused', () => {
  for (const [terminal, context] of [
    [true, 'a terminal, which the task was not given'],
    [false, 'the runtime has sent no terminal'],
  ] as const) {
    const [task, images] = terminal ? ['without', 'with'] : ['with', 'without']
    test(`for a task ${task} a terminal if the images are ${images} one`, async () => {
      await using bench = await RestoreBench.open()
      const { tasks } = bench
      const rootfs = await bench.rootfs()
      const create = async (terminal: boolean, options?: OpaqueValue) => {
        const { io } = await bench.io(terminal)
        await tasks.create('one', { rootfs, spec: bench.spec('one', echo, { terminal }), ...io, options })
      }
      await create(terminal)
      await tasks.start('one')
      await create(!terminal, bench.from(await bench.dump('one')))
      await expect(tasks.start('one')).rejects.toMatchObject({
        code: 'failed_precondition',
        context: expect.stringContaining(context),
      })
      await tasks.delete('one')
      expect(bench.left()).toEqual([])
    })
  }

  test('for a spec that lacks a mount', async () => {
    await using bench = await RestoreBench.open()
    const { tasks } = bench
    const rootfs = await bench.rootfs()
    const mounts = [{ destination: '/mnt', type: 'bind', source: bench.path, options: ['rbind', 'ro'] }]
    const waiting = ['tail', '-f', '/dev/null']
    await tasks.create('one', { rootfs, spec: bench.spec('one', waiting, { mounts }) })
    await tasks.start('one')
    const options = bench.from(await bench.dump('one'))
    await tasks.create('one', { rootfs, spec: bench.spec('one', waiting), options })
    await expect(tasks.start('one')).rejects.toMatchObject({
      code: 'failed_precondition',
      context: expect.stringContaining('a bind mount that the spec lacks'),
    })
  })

  test('while another process has a number that one must have again', async () => {
    await using bench = await RestoreBench.open()
    const { tasks } = bench
    const rootfs = await bench.rootfs()
    const namespaces = ['ipc', 'mount', 'network', 'uts']
    const spec = (id: string) => bench.spec(id, ['tail', '-f', '/dev/null'], { namespaces })
    await tasks.create('one', { rootfs, spec: spec('one') })
    const { pid } = await tasks.start('one')
    const imagePath = join(bench.path, 'images')
    await bench.runc.checkpoint('one', { imagePath, workPath: `${imagePath}.work`, leaveRunning: true })
    await tasks.create('two', { rootfs, spec: spec('two'), options: bench.from(imagePath) })
    await expect(tasks.start('two')).rejects.toMatchObject({
      code: 'failed_precondition',
      context: expect.stringContaining(`process number ${pid}, which another process has`),
    })
    expect(await tasks.get('one')).toMatchObject({ status: 'running' })
    await tasks.kill('one', 9)
    await tasks.wait('one')
    await tasks.delete('one')
    expect(await tasks.start('two')).toEqual({ pid })
  })
})

describeWith(needs, 'a start from a checkpoint whose runc', () => {
  let bench: RestoreBench
  let runc: FakeRunc
  let images: string
  let make: () => Promise<{ readonly pid: number }>

  beforeEach(async () => {
    bench = await RestoreBench.open(async (directory) => {
      runc = await fakeRunc(directory)
      return runc.binary
    })
    const { tasks } = bench
    const rootfs = await bench.rootfs()
    const spec = bench.spec('one', counter)
    await tasks.create('one', { rootfs, spec })
    await tasks.start('one')
    await expect.poll(() => existsSync(join(rootfs[0]!.source, 'tmp/count'))).toBe(true)
    images = await bench.dump('one')
    bench.events.length = 0
    make = () => tasks.create('one', { rootfs, spec, restore: bench.copyOf(images) })
  })
  afterEach(async () => {
    for (const command of ['restore', 'delete']) await runc.set(command, undefined)
    await bench[Symbol.asyncDispose]()
  })

  const faults: Readonly<Record<string, RuncFault>> = {
    fails: { fail: 'no way' },
    'does its work and fails': { failAfter: 'no way' },
    'is killed before it does anything': { die: 'before' },
    'is killed after its work': { die: 'after' },
    lies: { lie: '' },
  }
  for (const [what, fault] of Object.entries(faults)) {
    test(`${what} leaves the task as it was, which can be started or deleted`, async () => {
      const { tasks } = bench
      await make()
      await runc.set('restore', fault)
      expect(await tasks.start('one').then(() => 'success', errorCode)).not.toBe('success')
      expect(await tasks.get('one')).toMatchObject({ status: 'created', pid: 0 })
      expect(bench.topics()).toEqual(['/tasks/create'])
      expect(bench.processes()).toEqual([])
      expect(await bench.runc.list()).toEqual([])
      await runc.set('restore', undefined)
      const { pid } = await tasks.start('one')
      expect(await tasks.get('one')).toMatchObject({ status: 'running', pid })
      await tasks.kill('one', 9)
      await tasks.wait('one')
      await tasks.delete('one')
      await make()
      await runc.set('restore', fault)
      expect(await tasks.start('one').then(() => 'success', errorCode)).not.toBe('success')
      expect(await tasks.delete('one')).toMatchObject({ exitStatus: 0, pid: 0 })
      expect(bench.left()).toEqual([])
    })
  }

  for (const hang of ['before', 'after'] as const) {
    test(`hangs, ${hang} its work, leaves the task as it was once nobody waits`, async () => {
      const { tasks } = bench
      await make()
      await runc.set('restore', { hang })
      const stop = new AbortController()
      const starting = tasks.start('one', { signal: stop.signal })
      await expect.poll(() => runc.hanging()).toContain('restore')
      stop.abort(new Error('enough'))
      await expect(starting).rejects.toThrow('enough')
      expect(await tasks.get('one')).toMatchObject({ status: 'created', pid: 0 })
      expect(bench.processes()).toEqual([])
      expect(await bench.runc.list()).toEqual([])
      expect(await tasks.delete('one')).toMatchObject({ exitStatus: 0, pid: 0 })
      expect(bench.left()).toEqual([])
    })
  }

  test('is interrupted at any moment leaves nothing, and all files of the root filesystem', async () => {
    const { tasks } = bench
    const files = () =>
      readdirSync(bench.path, { recursive: true }).filter((name) => /^rootfs-/.test(String(name)))
    const before = files()
    for (let moment = 0; moment < 160; moment += 20) {
      await make()
      const stop = AbortSignal.timeout(moment)
      const started = await tasks.start('one', { signal: stop }).then(
        () => true,
        () => false,
      )
      if (started) {
        await tasks.kill('one', 9)
        await tasks.wait('one')
      } else {
        expect(await bench.runc.list()).toEqual([])
        expect(bench.processes()).toEqual([])
      }
      await tasks.delete('one')
      expect(bench.left()).toEqual([])
    }
    expect(files()).toEqual(before)
    expect(bench.warnings).toEqual([])
  })

  test('cannot clean up after it failed says both, and is neither deleted nor started before that', async () => {
    const { tasks } = bench
    await make()
    await runc.set('restore', { failAfter: 'no way' })
    await runc.set('delete', { fail: 'no way back' })
    await expect(tasks.start('one')).rejects.toThrow('OCI runtime restore failed: no way')
    expect(JSON.stringify(bench.warnings)).toContain('task bench/one')
    bench.warnings.length = 0
    expect(await tasks.delete('one').then(() => 'success', errorCode)).toBe('unknown')
    await runc.set('restore', undefined)
    await expect(tasks.start('one')).rejects.toThrow('OCI runtime delete failed: no way back')
    expect(await tasks.get('one')).toMatchObject({ status: 'created', pid: 0 })
    expect(readdirSync(bench.images)).toHaveLength(1)
    await runc.set('delete', undefined)
    await tasks.start('one')
    await tasks.kill('one', 9)
    await tasks.wait('one')
    await tasks.delete('one')
    expect(bench.left()).toEqual([])
  })
})
