import { existsSync, readdirSync } from 'node:fs'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, test } from 'vitest'
import { counter, echo, numbers, RestoreBench } from '../testing/restore-bench.ts'

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
    const counted = bench.counted(rootfs)
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
    const goneOn = bench.counted(other)
    expect(goneOn).toEqual(goneOn.map((_, index) => index + 1))
    expect(goneOn.length).toBeGreaterThan(counted.length)
    expect(bench.counted(rootfs)).toEqual(counted)
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
})
