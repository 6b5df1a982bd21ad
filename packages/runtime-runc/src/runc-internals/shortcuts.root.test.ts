import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { copyFile, mkdir, readlink, rm, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { containerSpec, tasksOfRuntime } from '@nsbox/compliance/tasks'
import { findProgram } from '@nsbox/supervisor/programs'
import { busyboxRootfs, cgroupsNamed, type RootfsMount, tempDir } from '@nsbox/testing'
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

  test('leave no process and no cgroup if the daemon is killed between creation and start', async () => {
    const url = (name: string) => JSON.stringify(new URL(name, import.meta.url).href)
    const runtime = JSON.stringify({ directory: join(path, 'runtime') })
    const script = `
      const { openRuncRuntime } = await import(${url('../open-runc-runtime.ts')})
      const { Runc } = await import(${url('../runc/runc.ts')})
      Runc.prototype.start = async () => {
        console.log('created')
        await new Promise(() => setInterval(() => undefined, 1000))
      }
      await (await openRuncRuntime({ ...${runtime}, onEvent() {} })).proveShortcuts()`
    const args = ['--conditions=@nsbox/source', '--import', 'tsx', '--input-type=module', '-e', script]
    const daemon = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    const [said] = await Promise.race([once(daemon.stdout, 'data'), once(daemon, 'exit')])
    expect(String(said)).toBe('created\n')
    const cgroups = () => cgroupsNamed(probePrefix(join(path, 'runtime/probe')))
    const pids = (await cgroups()).flatMap((cgroup) =>
      readFileSync(join(cgroup, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean),
    )
    expect(new Set(pids).size).toBe(1)
    const supervisors = join(path, 'runtime/supervisor')
    const [name] = readdirSync(supervisors)
    const { pid } = JSON.parse(readFileSync(join(supervisors, name!, 'process'), 'utf8'))
    daemon.kill('SIGKILL')
    await once(daemon, 'exit')
    await expect.poll(cgroups).toEqual([])
    await expect.poll(() => [...pids, pid].filter((left) => existsSync(`/proc/${left}`))).toEqual([])
    expect(readdirSync(supervisors)).toEqual([])
    await rm(join(path, 'runtime/probe'), { recursive: true })
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
