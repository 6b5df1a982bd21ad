import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, test } from 'vitest'
import { testProcess } from '../testing/busybox-bundle.ts'
import { hasEnded, testContainer } from '../testing/test-container.ts'
import { waitUntil } from '../testing/wait-until.ts'
import { CgroupHost } from './cgroup-host.ts'
import { processInfos } from './process-infos.ts'
import { signalAll, signalProcess } from './signal-processes.ts'

const notFound = expect.objectContaining({ code: 'not_found' })

const needs = { root: true, linux: true, programs: ['runc', 'busybox'] } as const
const outsider = () => {
  const child = spawn('sleep', ['1000'], { stdio: 'ignore' })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  return {
    pid: child.pid!,
    alive: () => child.exitCode === null && child.signalCode === null,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

async function started(args: readonly string[], options: Parameters<typeof testContainer>[0] | object = {}) {
  const container = await testContainer({ args, ...options })
  const host = await CgroupHost.open()
  const cgroup = host.of(container.pid)
  await container.runc.start(container.id)
  return { container, host, cgroup }
}

/** The result of work, and the turns of the event loop meanwhile. */
async function turnsDuring<T>(work: Promise<T>): Promise<{ readonly result: T; readonly turns: number }> {
  let turns = 0
  let next: NodeJS.Immediate
  const turn = () => {
    turns++
    next = setImmediate(turn)
  }
  turn()
  const result = await work
  clearImmediate(next!)
  return { result, turns }
}

describeWith(needs, 'the cgroup of a container', () => {
  test('has its processes, and nobody else', async () => {
    const { container, cgroup, host } = await started(['sh', '-c', 'sleep 1000 & sleep 1000 & wait'])
    await using _ = container
    await waitUntil(async () => (await cgroup.pids()).length === 3)
    const pids = await cgroup.pids()
    expect(pids).toEqual(await container.runc.ps(container.id).then((all) => all.sort((a, b) => a - b)))
    expect(pids.map((pid) => cgroup.has(pid))).toEqual([true, true, true])
    expect([process.pid, 1, 2 ** 22].map((pid) => cgroup.has(pid))).toEqual([false, false, false])
    const again = host.at(cgroup.cgroups)
    expect(await again.pids()).toEqual(pids)
    await container.runc.delete(container.id, { force: true })
    expect(await again.pids()).toEqual([])
    expect(() => again.metrics()).toThrow(notFound)
    expect(() => host.of(2 ** 22 + 1)).toThrow(notFound)
  })

  test('tells what was used up', async () => {
    const script = 'dd if=/dev/zero of=/dev/null bs=20M count=1; exec sleep 1000'
    const limits = {
      pids: { limit: 40 },
      memory: { limit: 64 * 1024 * 1024 },
      cpu: { quota: 50000, period: 100000 },
    }
    const { container, cgroup, host } = await started(['sh', '-c', script], { resources: limits })
    await using _ = container
    await waitUntil(async () => (await readFile(`/proc/${container.pid}/comm`, 'utf8')) === 'sleep\n')
    const data = cgroup.metrics()
    if (!('cgroup' in data)) throw new Error('no metrics of a cgroup')
    expect(data.cgroup).toBe(host.version)
    if (data.cgroup === 2) {
      expect(data.metrics).toMatchObject({
        pids: { current: 1n, limit: 40n },
        memory: { usageLimit: 67108864n },
      })
      expect(data.metrics.cpu!.usageUsec).toBeGreaterThan(0n)
      return
    }
    const { pids, memory, cpu, memoryOomControl, blkio } = data.metrics
    expect(pids).toEqual({ current: 1n, limit: 40n })
    expect(memory).toMatchObject({ hierarchicalMemoryLimit: 67108864n, usage: { limit: 67108864n } })
    expect(memory!.usage!.max).toBeGreaterThan(20_000_000n)
    expect(memory!.pgFault).toBeGreaterThan(0n)
    expect(cpu!.usage!.total).toBeGreaterThan(0n)
    expect(cpu!.usage!.perCpu.reduce((sum, one) => sum + one)).toBeGreaterThan(0n)
    expect(cpu!.throttling).toBeDefined()
    expect(memoryOomControl).toEqual({ oomKillDisable: 0n, underOom: 0n, oomKill: 0n })
    expect(blkio).toBeDefined()
  })

  test('is read in the unified hierarchy too, where a hybrid host has it', async () => {
    const { container, cgroup } = await started(['sleep', '1000'])
    await using _ = container
    const directory = cgroup.directory('')
    if (directory === undefined) return
    const mountPoint = directory.slice(0, -cgroup.cgroups.get('')!.length)
    const host = new CgroupHost(new Map([['', { mountPoint, root: '/' }]]), new Map())
    expect(host.version).toBe(2)
    const unified = host.of(container.pid)
    expect(await unified.pids()).toEqual([container.pid])
    const data = unified.metrics()
    expect(data).toMatchObject({ cgroup: 2, metrics: { cpu: { usageUsec: expect.any(BigInt) } } })
  })

  test('D14: a process of the container is signalled by its number, and no other', async () => {
    const { container, cgroup } = await started(['sh', '-c', 'sleep 1000 & wait $!; exec sleep 1000'])
    await using _ = container
    await using other = outsider()
    await waitUntil(async () => (await cgroup.pids()).length === 2)
    const child = (await cgroup.pids()).find((pid) => pid !== container.pid)!
    const nobody = [other.pid, process.pid, 1, 0, -1, 1.5, 2 ** 22 + 1, 2 ** 40, Number.NaN]
    for (const pid of nobody) expect(() => signalProcess(cgroup, pid, 9)).toThrow(notFound)
    expect(other.alive()).toBe(true)
    signalProcess(cgroup, child, 9)
    await waitUntil(hasEnded(child))
    await waitUntil(async () => (await cgroup.pids()).length === 1)
    expect(() => signalProcess(cgroup, child, 9)).toThrow(notFound)
  })

  test('is signalled as a whole, also without a pid namespace and while it forks', async () => {
    const fork = 'while true; do sleep 1000 & sleep 0.001; done'
    const { container, cgroup } = await started(['sh', '-c', fork], { namespaces: ['ipc', 'uts'] })
    await using _ = container
    await using other = outsider()
    await waitUntil(async () => (await cgroup.pids()).length > 5)
    expect(await signalAll(cgroup, 9)).toBeGreaterThan(0)
    await waitUntil(async () => (await cgroup.pids()).length === 0)
    expect(await signalAll(cgroup, 9)).toBe(0)
    expect(other.alive()).toBe(true)
  })

  test('E14 very many processes and cgroups are listed, signalled and removed beside other work', async () => {
    const script = 'trap "" TERM; i=0; while [ $((i += 1)) -lt 800 ]; do sleep 1000 & done; wait'
    const { container, cgroup } = await started(['sh', '-c', script])
    await using _ = container
    await waitUntil(async () => (await cgroup.pids()).length === 800)
    const signalled = await turnsDuring(signalAll(cgroup, 15))
    expect(signalled.result).toBe(800)
    expect(signalled.turns).toBeGreaterThan(10)

    const directory = cgroup.directory('pids') ?? cgroup.directory('')!
    for (let i = 0; i < 400; i++) await mkdir(join(directory, `below-${i}`))
    const listed = await turnsDuring(cgroup.pids())
    expect(listed.result).toHaveLength(800)
    expect(listed.turns).toBeGreaterThan(20)

    expect((await turnsDuring(signalAll(cgroup, 9))).result).toBeGreaterThan(0)
    await waitUntil(async () => (await cgroup.pids()).length === 0)
    expect((await turnsDuring(cgroup.remove())).turns).toBeGreaterThan(20)
    expect(existsSync(directory)).toBe(false)
  })

  test('is signalled as a whole without killing', async () => {
    const script = 'trap "" TERM; sleep 1000 & sleep 1000 & while true; do wait; done'
    const { container, cgroup } = await started(['sh', '-c', script])
    await using _ = container
    await waitUntil(async () => (await cgroup.pids()).length === 3)
    // Children ignore it as well, since that is inherited.
    expect(await signalAll(cgroup, 15)).toBe(3)
    expect(await cgroup.pids()).toHaveLength(3)
  })

  test('names the processes of execs', async () => {
    const { container, cgroup } = await started(['sleep', '1000'])
    await using _ = container
    const { runc, id, directory, launch } = container
    const files = ['process.json', 'exec.pid', 'exec.log'].map((name) => join(directory, name)) as [
      string,
      string,
      string,
    ]
    await writeFile(files[0], JSON.stringify(testProcess({ args: ['sleep', '1000'] })))
    await launch(runc.execArguments(id, { process: files[0], pidFile: files[1], log: files[2] }))
    const pid = Number(await readFile(files[1], 'utf8'))
    const infos = processInfos(await cgroup.pids(), new Map([[pid, 'shell']]))
    expect(infos).toEqual([
      { pid: container.pid },
      {
        pid,
        info: {
          typeUrl: 'containerd.runc.v1.ProcessDetails',
          value: Uint8Array.from(Buffer.from('\n\x05shell')),
        },
      },
    ])
  })
})

describeWith(needs, 'a container without memory', () => {
  const limited = { resources: { memory: { limit: 16 * 1024 * 1024 } } }
  const greedy = 'tail -c 100000000 /dev/zero'

  test('is told of while it goes on, once for each time', async () => {
    const script = `sleep 0.2; ${greedy}; sleep 1000`
    const container = await testContainer({ args: ['sh', '-c', script], ...limited })
    await using _ = container
    const host = await CgroupHost.open()
    const warnings: unknown[] = []
    using watcher = host.oomWatcher((...warning) => warnings.push(warning))
    let ooms = 0
    using watch = watcher.watch(host.of(container.pid), () => ooms++)
    watch.check()
    expect(ooms).toBe(0)
    await container.runc.start(container.id)
    await waitUntil(() => ooms === 1)
    watch.check()
    expect({ ooms, warnings }).toEqual({ ooms: 1, warnings: [] })
    expect((await container.runc.state(container.id)).status).toBe('running')
  })

  test('is told of when it has ended, before anybody could look', async () => {
    const container = await testContainer({ args: ['tail', '-c', '100000000', '/dev/zero'], ...limited })
    await using _ = container
    const host = await CgroupHost.open()
    using watcher = host.oomWatcher(() => {})
    let ooms = 0
    using watch = watcher.watch(host.of(container.pid), () => ooms++)
    await container.runc.start(container.id)
    await waitUntil(hasEnded(container.pid))
    watch.check()
    watch.check()
    expect(ooms).toBe(1)
    await container.runc.delete(container.id)
    watch.check()
    expect(ooms).toBe(1)
  })
})
