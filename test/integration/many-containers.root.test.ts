import { readdir, readFile } from 'node:fs/promises'
import { withHostNamespace } from '@nsbox/oci/runtime-spec'
import { describeWith } from '@nsbox/testing/describe-with'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { openTaskLab, type TaskLab } from './task-lab.ts'

const isLong = process.env.NSBOX_TEST_LONG !== undefined
/** The heap of the supervisor grows to its ordinary size in the first twelve hundred. */
const cycles = isLong ? { before: 1500, counted: 100 } : { before: 40, counted: 6 }
/**
 * How often the cycles that count are run. What is lost is lost in each of these rounds, while the heap of the daemon
 * goes up and down by megabytes at once, which the median does not see.
 */
const rounds = 5
/** Containers, one after the other and at once, and execs at once, that are to tell how they ended. */
const told = isLong ? { turns: 20, atOnce: 50, execs: 200 } : { turns: 10, atOnce: 30, execs: 100 }
/** In KiB: by how much memory may grow in the median of the rounds, and in the average of them. */
const limits = isLong ? { daemon: 5_000, supervisor: 500 } : { daemon: 20_000, supervisor: 2_000 }

const processes = ['daemon', 'supervisor'] as const

/** Anonymous memory of a process in KiB, which is what it has for itself alone, and how many descriptors it has. */
async function size(pid: number): Promise<{ memory: number; descriptors: number }> {
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8')
  const memory = Number(/^Anonymous:\s+(\d+) kB/m.exec(rollup)?.[1])
  return { memory, descriptors: (await readdir(`/proc/${pid}/fd`)).length }
}

/** In turns, several at a time. */
async function times<T>(count: number, atOnce: number, run: (n: number) => Promise<T>): Promise<T[]> {
  const results: T[] = []
  let next = 0
  const work = async () => {
    for (let n = next++; n < count; n = next++) results[n] = await run(n)
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  return results
}

const script = (n: number) => ['sh', '-c', `echo ${n}; exit ${n}`]
const expected = (count: number) =>
  Array.from({ length: count }, (_, n) => ({ output: `${n}\n`, exitStatus: n }))

describeWith({ root: true, linux: true, programs: ['runc', 'busybox'] }, 'many containers', () => {
  let lab: TaskLab

  beforeAll(async () => {
    lab = await openTaskLab('many-containers')
    // What is made once and kept is there from now on.
    await times(8, 8, (n) => lab.run(`warm-${n}`, script(n)))
    await lab.growLog()
  })
  afterAll(() => lab[Symbol.asyncDispose]())
  afterEach(async () => {
    // A supervisor that was lost would say so.
    const complaints = lab.server.process.output.split('\n').filter((line) => /"level":[456]0/.test(line))
    // These depend on how busy the host is, and on its version of runc.
    const usual = ['"event loop held"', 'closed known escapes']
    expect(complaints.filter((line) => !usual.some((text) => line.includes(text)))).toEqual([])
  })

  it('one after another have their output and exit statuses, and leave nothing', async () => {
    const watch = await lab.watch()
    const { turns } = told
    expect(await times(turns, 1, (n) => lab.run(`one-${n}`, script(n)))).toEqual(expected(turns))
    expect(await watch.leaks()).toEqual([])
  })

  it('at once have their output and exit statuses, and leave nothing', { timeout: 120_000 }, async () => {
    const watch = await lab.watch()
    const { atOnce } = told
    const ended = times(atOnce, atOnce, (n) => lab.run(`at-once-${n}`, script(n)))
    expect(await ended).toEqual(expected(atOnce))
    expect(await watch.leaks()).toEqual([])
  })

  it('over and over leave memory and descriptors as they were', { timeout: 600_000 }, async () => {
    const pids = { daemon: lab.server.process.pid, supervisor: await lab.supervisor() }
    const run = (name: string, count: number) => times(count, 2, (n) => lab.run(`${name}-${n}`, ['true']))
    await run('before', cycles.before)
    const watch = await lab.watch()
    const sizes = { daemon: [await size(pids.daemon)], supervisor: [await size(pids.supervisor)] }
    for (let round = 0; round < rounds; round++) {
      await run(`round-${round}`, cycles.counted)
      for (const name of processes) sizes[name].push(await size(pids[name]))
    }
    expect(await watch.leaks()).toEqual([])
    for (const name of processes) {
      // One is open for a moment now and then.
      await expect
        .poll(async () => (await size(pids[name])).descriptors)
        .toBeLessThanOrEqual(sizes[name][0]!.descriptors)
      const growth = sizes[name].slice(1).map(({ memory }, round) => memory - sizes[name][round]!.memory)
      expect((sizes[name].at(-1)!.memory - sizes[name][0]!.memory) / rounds, name).toBeLessThan(limits[name])
      expect(growth.sort((a, b) => a - b)[Math.floor(rounds / 2)], name).toBeLessThan(limits[name])
    }
  })

  it(`${told.execs} execs that end at once each tell how`, { timeout: 120_000 }, async () => {
    const watch = await lab.watch()
    await using task = await lab.start('execs', ['sleep', '1000'], { output: 'ignore' })
    const codes = await times(told.execs, told.execs, async (n) => {
      await using exec = await task.exec({
        args: ['sh', '-c', `exit ${n}`],
        execId: `e${n}`,
        output: 'ignore',
      })
      await exec.start()
      const { exitStatus } = await exec.exit
      await exec.delete()
      return exitStatus
    })
    expect(codes).toEqual(Array.from({ length: told.execs }, (_, n) => n))
    await lab.remove('execs')
    expect(await watch.leaks()).toEqual([])
  })

  it('orphans of a container without numbers of its own are waited for when they end', async () => {
    const spec = [withHostNamespace('pid')]
    const watch = await lab.watch()
    const orphans = 'for n in $(seq 20); do (sh -c "exit $n" &); done; (sleep 1000 &); exec sleep 1000'
    await using task = await lab.start('orphans', ['sh', '-c', orphans], { output: 'ignore', spec })
    // Those that stay, of which one is nobody's.
    await expect.poll(async () => (await task.pids()).length).toBe(2)
    await lab.remove('orphans')
    expect(await watch.leaks()).toEqual([])
  })
})
