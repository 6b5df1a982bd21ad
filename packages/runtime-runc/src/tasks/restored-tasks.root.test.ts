import { existsSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { processSpec } from '@nsbox/compliance/tasks'
import type { RuntimeTaskOptions } from '@nsbox/core/tasks'
import { run } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { counter, echo, numbers, RestoreBench } from '../testing/restore-bench.ts'
import type { NamespaceTasks } from './namespace-tasks.ts'

const needs = { root: true, linux: true, programs: ['runc', 'busybox', 'criu', 'mkfifo'] } as const

describeWith(needs, 'a task that goes on from a checkpoint', () => {
  test('goes on where it was, with its files, its output and another id', async () => {
    await using bench = await RestoreBench.open()
    const { tasks } = bench
    const rootfs = await bench.rootfs()
    const before = await bench.io()
    await tasks.create('one', { rootfs, spec: bench.spec('one', counter), ...before.io })
    await tasks.start('one')
    await expect.poll(() => numbers(before.stdout.text()).length).toBeGreaterThan(3)
    const images = await bench.dump('one')
    const said = numbers(await before.stdout.ended)
    const counted = bench.countOf(rootfs)
    const other = await bench.rootfs(rootfs)
    const after = await bench.io()
    bench.events.length = 0
    const restore = bench.copyOf(images)
    expect(
      await tasks.create('two', { rootfs: other, spec: bench.spec('two', counter), ...after.io, restore }),
    ).toEqual({ pid: 0 })
    expect(await tasks.get('two')).toMatchObject({ status: 'created', pid: 0, ...after.io })
    const [made] = readdirSync(bench.images)
    expect(bench.events).toMatchObject([
      { topic: '/tasks/create', payload: { pid: 0, checkpoint: `${bench.images}/${made}` } },
    ])
    const { pid } = await tasks.start('two')
    expect(await tasks.get('two')).toMatchObject({ status: 'running', pid })
    expect(bench.events.at(-1)).toEqual({ topic: '/tasks/start', payload: { containerId: 'two', pid } })
    await expect.poll(() => numbers(after.stdout.text()).length).toBeGreaterThan(3)
    expect(await tasks.pids('two')).toContainEqual(expect.objectContaining({ pid }))
    await tasks.kill('two', 9)
    expect(await tasks.wait('two')).toMatchObject({ exitStatus: 137 })
    const all = [...said, ...numbers(await after.stdout.ended)]
    expect(all).toEqual(all.map((_, index) => index + 1))
    const goneOn = bench.countOf(other)
    expect(goneOn).toEqual(goneOn.map((_, index) => index + 1))
    expect(goneOn.length).toBeGreaterThan(counted.length)
    expect(bench.countOf(rootfs)).toEqual(counted)
    expect(await tasks.delete('two')).toMatchObject({ exitStatus: 137, pid })
    expect(bench.topics()).toEqual(['/tasks/create', '/tasks/start', '/tasks/exit', '/tasks/delete'])
    expect(readdirSync(bench.images)).toEqual([])
    expect(bench.warnings).toEqual([])
  })

  test('takes input, whose end it sees', async () => {
    await using bench = await RestoreBench.open()
    const { tasks } = bench
    const rootfs = await bench.rootfs()
    const before = await bench.io()
    const spec = bench.spec('one', echo)
    await tasks.create('one', { rootfs, spec, ...before.io })
    await tasks.start('one')
    await before.stdin.write('first\n')
    await expect.poll(() => before.stdout.text()).toBe('got first\n')
    const options = bench.from(await bench.dump('one'))
    const after = await bench.io()
    await tasks.create('one', { rootfs, spec, ...after.io, options })
    await tasks.start('one')
    await after.stdin.write('second\n')
    await expect.poll(() => after.stdout.text()).toBe('got second\n')
    await after.stdin.close()
    await tasks.closeStdin('one')
    expect(await tasks.wait('one')).toMatchObject({ exitStatus: 7 })
  })

  test('has a terminal, with the size that was asked for before its start', async () => {
    await using bench = await RestoreBench.open()
    const { tasks } = bench
    const rootfs = await bench.rootfs()
    const before = await bench.io(true)
    const spec = bench.spec('one', ['sh', '-c', 'while read line; do echo "got $line"; stty size; done'], {
      terminal: true,
    })
    await tasks.create('one', { rootfs, spec, ...before.io })
    await tasks.start('one')
    await tasks.resize('one', { width: 40, height: 20 })
    await before.stdin.write('first\n')
    await expect.poll(() => before.stdout.text()).toContain('20 40\r\n')
    const images = await bench.dump('one')
    const after = await bench.io(true)
    await tasks.create('one', { rootfs, spec, ...after.io, options: bench.from(images) })
    await tasks.resize('one', { width: 132, height: 43 })
    await tasks.start('one')
    await after.stdin.write('second\n')
    await expect.poll(() => after.stdout.text()).toBe('second\r\ngot second\r\n43 132\r\n')
    await tasks.resize('one', { width: 80, height: 25 })
    await after.stdin.write('third\n')
    await expect.poll(() => after.stdout.text()).toContain('25 80\r\n')
    expect(existsSync(images)).toBe(true)
  })

  test('has the hostname of its spec, in a namespace of its own', async () => {
    await using bench = await RestoreBench.open()
    const { tasks } = bench
    const { images, rootfs } = await bench.counted()
    const options = bench.from(images)
    const spec = bench.spec('one', counter, { spec: { hostname: 'another' } })
    await tasks.create('one', { rootfs, spec, options })
    const { pid } = await tasks.start('one')
    const asSeen = async () => (await run('nsenter', [`--uts=/proc/${pid}/ns/uts`, 'uname', '-n'])).stdout
    expect(await asSeen()).toBe('another\n')
    await tasks.exec('one', 'name', {
      spec: processSpec({ args: ['sh', '-c', 'test $(hostname) = another'] }),
    })
    await tasks.start('one', { execId: 'name' })
    expect(await tasks.wait('one', { execId: 'name' })).toMatchObject({ exitStatus: 0 })
  })

  test('keeps locks of files, which only the one who makes a checkpoint has to ask for', async () => {
    await using bench = await RestoreBench.open()
    const { tasks } = bench
    const rootfs = await bench.rootfs()
    const at = (path: string) => join(rootfs[0]!.source, path)
    mkdirSync(at('usr'))
    for (const name of ['lib', 'lib64']) symlinkSync(`usr/${name}`, at(name))
    const script = 'open F, ">", "/tmp/lock"; flock F, 2; open G, ">", "/tmp/locked"; sleep 1 while 1'
    const spec = bench.spec('one', ['/usr/bin/perl', '-e', script], {
      mounts: [{ destination: '/usr', type: 'bind', source: '/usr', options: ['bind', 'ro'] }],
    })
    await tasks.create('one', { rootfs, spec })
    await tasks.start('one')
    await expect.poll(() => existsSync(at('tmp/locked'))).toBe(true)
    const images = await bench.dump('one', { fileLocks: true })
    await tasks.create('one', { rootfs, spec, options: bench.from(images) })
    await tasks.start('one')
    expect(
      await run('perl', ['-e', 'open F, ">", $ARGV[0]; exit(flock(F, 6) ? 0 : 9)', at('tmp/lock')]),
    ).toMatchObject({
      code: 9,
    })
  })

  test('uses a directory that the options name as it is, before images that somebody would write', async () => {
    await using bench = await RestoreBench.open()
    const { tasks } = bench
    const { images, rootfs } = await bench.counted()
    const before = listing(images)
    const criuWorkPath = join(bench.path, 'work')
    const restore = async () => {
      throw new Error('nobody asks for them')
    }
    const spec = bench.spec('one', counter)
    const options = bench.from(images, { criuWorkPath })
    expect(await tasks.create('one', { rootfs, spec, options, restore })).toEqual({ pid: 0 })
    expect(bench.events).toMatchObject([{ topic: '/tasks/create', payload: { checkpoint: images, pid: 0 } }])
    await tasks.start('one')
    expect(readdirSync(criuWorkPath)).toContain('restore.log')
    await tasks.kill('one', 9)
    await tasks.wait('one')
    await tasks.delete('one')
    expect(listing(images)).toEqual(before)
    expect(bench.left()).toEqual([])
  })

  test('has the namespaces of its spec, or does not start', async () => {
    await using bench = await RestoreBench.open()
    const { tasks } = bench
    const rootfs = await bench.rootfs()
    const waiting = ['tail', '-f', '/dev/null']
    const own = ['pid', 'ipc', 'mount', 'network', 'cgroup']
    const spec = (types: readonly string[]) =>
      bench.spec('one', waiting, { namespaces: types, spec: types === own ? { hostname: undefined } : {} })
    await tasks.create('one', { rootfs, spec: spec(own) })
    await tasks.start('one')
    const images = await bench.dump('one')
    for (const types of [own, [...own, 'uts']]) {
      await tasks.create('one', { rootfs, spec: spec(types), options: bench.from(images) })
      const starting = tasks.start('one')
      if (types === own) {
        await starting
        await tasks.kill('one', 9)
        await tasks.wait('one')
      } else {
        const context = expect.stringContaining('uts namespace')
        await expect(starting).rejects.toMatchObject({ code: 'failed_precondition', context })
      }
      await tasks.delete('one')
      expect(bench.left()).toEqual([])
    }
    expect((await run('uname', ['-n'])).stdout).not.toBe('suite\n')
  })

  test('is refused without images, and leaves nothing', async () => {
    await using bench = await RestoreBench.open()
    const { tasks } = bench
    const rootfs = await bench.rootfs()
    const spec = bench.spec('one', counter)
    const create = (more: Partial<RuntimeTaskOptions>) => tasks.create('one', { rootfs, spec, ...more })
    const [missing, empty, file] = ['missing', 'empty', 'file'].map((name) => join(bench.path, name))
    mkdirSync(empty!)
    writeFileSync(file!, '')
    for (const [path, code] of [
      [missing!, 'not_found'],
      [empty!, 'invalid_argument'],
      [file!, 'invalid_argument'],
    ] as const) {
      await expect(create({ options: bench.from(path) })).rejects.toMatchObject({
        code,
        context: expect.stringContaining(JSON.stringify(path)),
      })
    }
    await expect(create({ restore: async () => {} })).rejects.toMatchObject({ code: 'invalid_argument' })
    const failing = async (directory: string) => {
      writeFileSync(join(directory, 'inventory.img'), '')
      throw new Error('no more')
    }
    await expect(create({ restore: failing })).rejects.toThrow('no more')
    await expect(
      create({ spec: { typeUrl: 'x', value: new Uint8Array() }, restore: failing }),
    ).rejects.toMatchObject({ code: 'invalid_argument' })
    expect(bench.left()).toEqual([])
    expect(bench.events).toEqual([])
  })

  test('is refused on a host without CRIU, before anything is made', async () => {
    await using bench = await RestoreBench.open()
    const rootfs = await bench.rootfs()
    const path = process.env.PATH
    let asked = false
    try {
      process.env.PATH = join(bench.path, 'nothing')
      const restore = async () => {
        asked = true
      }
      const task = { rootfs, spec: bench.spec('one', counter), restore }
      await expect(bench.tasks.create('one', task)).rejects.toMatchObject({
        code: 'unimplemented',
        context: expect.stringContaining('"criu"'),
      })
    } finally {
      process.env.PATH = path
    }
    expect(asked).toBe(false)
    expect(bench.left()).toEqual([])
  })

  test('does no harm to others in its cgroup, whether it starts or not', async () => {
    await using bench = await RestoreBench.open()
    const { tasks } = bench
    const { images, rootfs } = await bench.counted()
    await tasks.create('other', { rootfs, spec: bench.spec('one', ['tail', '-f', '/dev/null']) })
    const { pid } = await tasks.start('other')
    const spec = bench.spec('one', counter)
    const task = { rootfs, spec, options: bench.from(images) }
    await tasks.create('one', task)
    for (const moment of [20, 60, 100]) {
      await tasks.start('one', { signal: AbortSignal.timeout(moment) }).catch(() => undefined)
      if ((await tasks.get('one')).status === 'running') {
        await tasks.kill('one', 9)
        await tasks.wait('one')
        await tasks.delete('one')
        await tasks.create('one', task)
      }
    }
    await tasks.delete('one')
    await tasks.create('one', task)
    await tasks.start('one')
    await tasks.kill('one', 9)
    expect(await tasks.wait('one')).toMatchObject({ exitStatus: 137 })
    expect(await tasks.get('other')).toMatchObject({ status: 'running', pid })
    // runc removes the cgroup of what it deletes, unless a process is in it.
    await tasks.delete('one')
    expect(await tasks.get('other')).toMatchObject({ status: 'running', pid })
    expect(bench.processes()).toEqual([pid])
  })
})

describeWith(needs, 'a task that is still to go on from a checkpoint', () => {
  let bench: RestoreBench
  beforeAll(async () => {
    bench = await RestoreBench.open()
    const { images, rootfs } = await bench.counted()
    const task = { rootfs, spec: bench.spec('one', counter, { terminal: true }), terminal: true }
    await bench.tasks.create('one', { ...task, options: bench.from(images) })
  })
  afterAll(() => bench[Symbol.asyncDispose]())

  const refused: Readonly<Record<string, (tasks: NamespaceTasks) => Promise<unknown>>> = {
    'process not created': (tasks) => tasks.kill('one', 9),
    'cannot exec in a created state': (tasks) =>
      tasks.exec('one', 'exec', { spec: processSpec({ args: ['true'] }) }),
    'cannot pause task in created state': (tasks) => tasks.pause('one'),
    'cannot resume task in created state': (tasks) => tasks.resume('one'),
    'cannot update a created container': (tasks) =>
      tasks.update('one', { resources: { typeUrl: '', value: new Uint8Array() } }),
    'cannot checkpoint a task in created state': (tasks) =>
      tasks.checkpoint('one', { images: async () => '' }),
  }
  for (const [context, ask] of Object.entries(refused)) {
    test(`refuses: ${context}`, async () => {
      await expect(ask(bench.tasks)).rejects.toMatchObject({ code: 'failed_precondition', context })
    })
  }

  test('refuses to signal all of its processes, and none of any number is its own', async () => {
    const { tasks } = bench
    await expect(tasks.kill('one', 9, { all: true })).rejects.toMatchObject({ code: 'failed_precondition' })
    await expect(tasks.kill('one', 9, { pid: process.pid })).rejects.toMatchObject({
      code: 'failed_precondition',
    })
  })

  test('has no processes and no statistics', async () => {
    const { tasks } = bench
    expect(await tasks.list()).toMatchObject([{ containerId: 'one', status: 'created', pid: 0 }])
    expect(await tasks.pids('one')).toEqual([])
    expect(await tasks.metrics()).toEqual([])
  })

  test('is waited for until it has run, or was deleted', async () => {
    const { tasks } = bench
    const waiting = tasks.wait('one')
    waiting.catch(() => undefined)
    expect(await tasks.delete('one')).toMatchObject({ exitStatus: 0, pid: 0 })
    await expect(waiting).rejects.toMatchObject({ code: 'not_found' })
    expect(bench.topics()).toEqual(['/tasks/create', '/tasks/delete'])
    expect(bench.left()).toEqual([])
  })
})

/** Names and times of the files in a directory. */
function listing(directory: string): string[] {
  return readdirSync(directory).map((name) => {
    const { size, mtimeMs } = statSync(join(directory, name))
    return `${name} ${size} ${mtimeMs}`
  })
}
