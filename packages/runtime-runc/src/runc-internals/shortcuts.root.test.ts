import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { copyFile, mkdir, readlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { containerSpec, tasksOfRuntime } from '@nsbox/compliance/tasks'
import { findProgram } from '@nsbox/supervisor/programs'
import { bundleSources, busyboxRootfs, cgroupsNamed, type RootfsMount, tempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { openRuncRuntime } from '../open-runc-runtime.ts'
import { Runc } from '../runc/runc.ts'
import type { RuncRuntime } from '../runc-runtime.ts'
import { elfWrapper } from '../testing/elf-wrapper.ts'
import { fakeRunc } from '../testing/fake-runc.ts'
import { probePrefix } from './probe.ts'

const allTaken = { isCopy: true, started: false, deleted: false }
const noneTaken = { isCopy: false, started: true, deleted: true }

describeWith({ root: true, linux: true, programs: ['runc', 'busybox'] }, 'shortcuts', () => {
  const real = findProgram('runc', { searchPath: process.env.PATH, from: '/' })
  let resources: AsyncDisposableStack
  let path: string
  let rootfs: RootfsMount[]
  let warnings: string[]

  beforeEach(async () => {
    resources = new AsyncDisposableStack()
    path = resources.use(await tempDir('nsbox-shortcuts')).path
    rootfs = await busyboxRootfs(join(path, 'rootfs'))
    warnings = []
  })
  afterEach(async () => {
    await resources.disposeAsync()
    expect(existsSync(join(path, 'runtime/probe'))).toBe(false)
    expect(await cgroupsNamed(probePrefix(join(path, 'runtime/probe')))).toEqual([])
  })

  async function open(binary: string, shortcuts?: boolean): Promise<RuncRuntime> {
    const runtime = await openRuncRuntime({
      ...{ directory: join(path, 'runtime'), binary, shortcuts },
      onEvent() {},
      onWarning: (message, error) => void warnings.push(`${message}: ${error}`),
    })
    return resources.use(runtime)
  }

  test.each([true, false])('spare its list where tasks are taken over, if on: %s', async (shortcuts) => {
    const before = await open(real, shortcuts)
    expect(await before.proveShortcuts()).toBe(shortcuts)
    const { tasks, newContainer } = tasksOfRuntime(before.namespace('shortcuts'))
    for (const id of ['paused', 'running']) {
      await newContainer(id, containerSpec(id, { args: ['sleep', '1000'] }))
      await tasks.create(id, { rootfs })
      await tasks.start(id)
    }
    await tasks.pause('paused')
    await before[Symbol.asyncDispose]()
    const list = vi.spyOn(Runc.prototype, 'list')
    const runtime = await open(real, shortcuts)
    resources.defer(() => runtime.endAll())
    const found = await runtime.namespace('shortcuts').list()
    expect(found.map(({ containerId, status }) => [containerId, status])).toEqual([
      ['paused', 'paused'],
      ['running', 'running'],
    ])
    expect(list).toHaveBeenCalledTimes(shortcuts ? 0 : 1)
    list.mockRestore()
  })

  /** Runs a container to its end. @returns whether runc was executed from a copy, and called to start and to delete */
  async function live(runtime: RuncRuntime): Promise<typeof allTaken> {
    const { tasks, newContainer } = tasksOfRuntime(runtime.namespace('shortcuts'))
    await newContainer('x', containerSpec('x', { args: ['true'] }))
    const start = vi.spyOn(Runc.prototype, 'start')
    const remove = vi.spyOn(Runc.prototype, 'delete')
    const { pid } = await tasks.create('x', { rootfs })
    const isCopy = (await readlink(`/proc/${pid}/exe`)) === '/memfd:runc (deleted)'
    await tasks.start('x')
    expect((await tasks.wait('x')).exitStatus).toBe(0)
    await tasks.delete('x')
    const [started, deleted] = [start.mock.calls.length > 0, remove.mock.calls.length > 0]
    vi.restoreAllMocks()
    return { isCopy, started, deleted }
  }

  async function ownRunc(): Promise<string> {
    await mkdir(join(path, 'bin'))
    const binary = join(path, 'bin/runc')
    await copyFile(real, binary)
    return binary
  }

  test('are taken with the host’s runc once it has been tried, also by the next daemon', async () => {
    const first = await open('runc')
    expect(await live(first)).toEqual(noneTaken)
    expect(await first.proveShortcuts()).toBe(true)
    expect(await live(first)).toEqual(allTaken)
    await first[Symbol.asyncDispose]()
    expect(await live(await open('runc'))).toEqual(allTaken)
    expect(warnings).toEqual([])
  })

  test('are tried a while after the first use', async () => {
    const runtime = await open('runc')
    await live(runtime)
    await expect.poll(() => existsSync(join(path, 'runtime/proofs.json'))).toBe(true)
    // Its own containers may still be in removal.
    expect(await runtime.proveShortcuts()).toBe(true)
    expect(await live(runtime)).toEqual(allTaken)
  })

  test('are not taken if they are switched off', async () => {
    const tried = await open('runc')
    await tried.proveShortcuts()
    await tried[Symbol.asyncDispose]()
    const runtime = await open('runc', false)
    expect(await runtime.proveShortcuts()).toBe(false)
    expect(await live(runtime)).toEqual(noneTaken)
  })

  test('are not taken any more once the file has changed, until it has been tried again', async () => {
    const binary = await ownRunc()
    const runtime = await open(binary)
    expect(await runtime.proveShortcuts()).toBe(true)
    await utimes(binary, 1, 1)
    expect(await live(runtime)).toEqual(noneTaken)
    expect(await runtime.proveShortcuts()).toBe(true)
    expect(await live(runtime)).toEqual(allTaken)
  })

  test('are not taken with a script that executes runc, which is not tried', async () => {
    await mkdir(join(path, 'bin'))
    const wrapper = await fakeRunc(join(path, 'bin'))
    const runtime = await open(wrapper.binary)
    expect(await runtime.proveShortcuts()).toBe(false)
    expect(await live(runtime)).toEqual(noneTaken)
    expect(await wrapper.calls()).toEqual(['create', 'start', 'delete'])
    expect(warnings).toEqual([])
  })

  test.runIf(process.arch === 'x64')('are not taken with a program that executes runc', async () => {
    await mkdir(join(path, 'bin'))
    const runtime = await open(await elfWrapper(join(path, 'bin/runc'), real))
    expect(await runtime.proveShortcuts()).toBe(false)
    expect(warnings.join()).toContain('the runtime executes another program')
    expect(await live(runtime)).toEqual(noneTaken)
  })

  test('are not taken with a program that only has the name', async () => {
    await mkdir(join(path, 'bin'))
    const binary = join(path, 'bin/runc')
    await copyFile('/bin/false', binary)
    const runtime = await open(binary)
    expect(await runtime.proveShortcuts()).toBe(false)
    expect(warnings).toHaveLength(1)
    expect(await runtime.proveShortcuts()).toBe(false)
    expect(warnings).toHaveLength(1)
  })

  test('are not taken by what cannot be read of earlier proofs', async () => {
    await mkdir(join(path, 'runtime'))
    await writeFile(join(path, 'runtime/proofs.json'), '{"format":1,"proofs":7}')
    const runtime = await open('runc')
    expect(await live(runtime)).toEqual(noneTaken)
    expect(await runtime.proveShortcuts()).toBe(true)
    expect(await live(runtime)).toEqual(allTaken)
  })

  test('leave nothing of a probe that was interrupted by a crash', async () => {
    const place = join(path, 'runtime/probe/root/nsbox-probe-left')
    await mkdir(place, { recursive: true })
    await open('runc')
    await expect.poll(() => existsSync(join(path, 'runtime/proofs.json'))).toBe(true)
    await expect.poll(() => existsSync(join(path, 'runtime/probe'))).toBe(false)
  })

  test('leave no process and no cgroup if the daemon is killed before a start, or before a removal', async () => {
    const source = `
      import { openRuncRuntime } from './open-runc-runtime.ts'
      import { Runc } from './runc/runc.ts'
      const [directory, command] = process.argv.slice(2)
      Runc.prototype[command] = async () => {
        console.log('here')
        await new Promise(() => setInterval(() => undefined, 1000))
      }
      await (await openRuncRuntime({ directory, onEvent() {}, onWarning: console.error })).proveShortcuts()`
    const program = await bundleSources(source, join(import.meta.dirname, '..'), path)
    const killedBefore = async (command: string, running: number) => {
      const directory = join(path, command)
      const daemon = spawn(process.execPath, [program, directory, command], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      const [said] = await Promise.race([once(daemon.stdout, 'data'), once(daemon, 'exit')])
      expect(String(said)).toBe('here\n')
      const cgroups = () => cgroupsNamed(probePrefix(join(directory, 'probe')))
      const found = await cgroups()
      const inside = found.map((cgroup) => readFileSync(join(cgroup, 'cgroup.procs'), 'utf8').split('\n'))
      const pids = new Set(inside.flat().filter(Boolean))
      expect([pids.size, found.length > 0]).toEqual([running, true])
      const supervisors = join(directory, 'supervisor')
      const { pid } = JSON.parse(
        readFileSync(join(supervisors, readdirSync(supervisors)[0]!, 'process'), 'utf8'),
      )
      daemon.kill('SIGKILL')
      await once(daemon, 'exit')
      await expect.poll(cgroups).toEqual([])
      const left = () => [...pids, pid].filter((one) => existsSync(`/proc/${one}`))
      // A supervisor without a client ends after ten seconds.
      await expect.poll(left, { timeout: 60_000 }).toEqual([])
      expect(readdirSync(supervisors)).toEqual([])
    }
    await Promise.all([killedBefore('start', 1), killedBefore('delete', 0)])
  })

  test('leave nothing if the daemon ends while runc is tried', async () => {
    const runtime = await open('runc')
    const proving = runtime.proveShortcuts()
    await expect.poll(() => existsSync(join(path, 'runtime/probe'))).toBe(true)
    await runtime[Symbol.asyncDispose]()
    expect(await proving).toBe(false)
    expect(warnings).toEqual([])
  })
})
