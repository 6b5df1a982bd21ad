import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, test } from 'vitest'
import type { LaunchPaths } from './supervisor.ts'
import { gone, SupervisorFixture } from './testing/supervised-shell.ts'

describeWith({ linux: true, root: true, programs: ['perl'] }, 'cgroups', () => {
  test('a supervisor sits in the cgroup that was asked for, one in each', async () => {
    await using fixture = await SupervisorFixture.create()
    let supervisor = await fixture.open()
    const name = `/nsbox-sup-${process.pid}`
    for (const hierarchy of hierarchies())
      if (!hierarchy.endsWith('/cpuset')) mkdirSync(`${hierarchy}${name}`)
    try {
      const process = await fixture.launch(supervisor, 'exec sleep 60', { cgroup: name, key: 'one' })
      await fixture.launch(supervisor, 'exec sleep 60', { cgroup: name, key: 'two' })
      const inside = fixture
        .supervisors()
        .filter((pid) => readFileSync(`/proc/${pid}/cgroup`, 'utf8').includes(name))
      expect(inside).toHaveLength(1)
      process.signal(9)
      await process.exit
    } finally {
      await fixture.clear()
      await fixture.leave(supervisor)
      await expect.poll(() => fixture.supervisors()).toEqual([])
      for (const hierarchy of hierarchies()) await removeCgroup(`${hierarchy}${name}`)
    }
    supervisor = await fixture.open()
    const missing = fixture.launch(supervisor, 'true', { cgroup: '/nonexistent' })
    await expect(missing).rejects.toMatchObject({ code: 'not_found' })
    expect(readdirSync(fixture.directory)).toEqual([])
  })

  test('what ends with its client takes its cgroup along, also where another supervisor holds it', async () => {
    await using fixture = await SupervisorFixture.create()
    const supervisor = await fixture.open()
    const names = ['made', 'making'].map((name) => `/nsbox-ends-${process.pid}-${name}`)
    const left = () => hierarchies().flatMap((root) => names.filter((name) => existsSync(`${root}${name}`)))
    const enter = (name: string) =>
      hierarchies()
        .filter((root) => !root.endsWith('/cpuset'))
        .map((root) => `mkdir ${root}${name} && echo $$ >${root}${name}/cgroup.procs`)
        .join(' && ')
    const [cgroup, other] = names as [string, string]
    const kept = await fixture.launch(supervisor, 'exec sleep 60', { key: 'kept' })
    const made = await fixture.launch(supervisor, `${enter(cgroup)}; exec sleep 60`, {
      key: 'made',
      endsWithClient: { cgroup },
    })
    await expect.poll(() => left().includes(cgroup)).toBe(true)
    const before = readdirSync(fixture.directory)
    process.kill(fixture.supervisors()[0]!, 'SIGKILL')
    await expect.poll(() => readdirSync(fixture.directory)).not.toEqual(expect.arrayContaining(before))

    // A program that is killed before it tells what it has made.
    const child = join(fixture.dir.path, 'child')
    const script = `setsid sh -c '${enter(other)}; echo $$ >${child}; exec sleep 60' & wait`
    const launch = async (signal?: AbortSignal) => {
      rmSync(child, { force: true })
      const command = ({ pidFile }: LaunchPaths) => ['sh', '-c', script, pidFile]
      const request = { key: 'making', command, endsWithClient: { cgroup: other } }
      const launching = supervisor.launch(request, { signal })
      launching.catch(() => undefined)
      await expect.poll(() => existsSync(child) && readFileSync(child, 'utf8')).toMatch(/\d/)
      return { launching }
    }
    const stop = new AbortController()
    const { launching: stopped } = await launch(stop.signal)
    stop.abort(new Error('enough'))
    await expect(stopped).rejects.toThrow('enough')
    expect(left().filter((path) => path.endsWith(other))).toEqual([])
    const { launching: making } = await launch()
    await fixture.leave(supervisor)
    await expect(making).rejects.toMatchObject({ code: 'unavailable' })
    await expect.poll(left).toEqual([])
    await gone(made.pid)
    await gone(Number(readFileSync(child, 'utf8')))
    await expect.poll(() => fixture.records().map(({ key }) => key)).toEqual(['kept'])
    expect((await fixture.open()).process('kept')).toMatchObject({ pid: kept.pid, ended: undefined })
  })
})

function hierarchies(): string[] {
  const found = new Map<string, string>()
  for (const line of readFileSync('/proc/self/mountinfo', 'utf8').split('\n')) {
    const [before, after] = line.split(' - ')
    const [, , device, , mountPoint] = before!.split(' ')
    // Containers of others mount them once more.
    if (after?.startsWith('cgroup') && !found.has(device!)) found.set(device!, mountPoint!)
  }
  return [...found.values()]
}

/** The cgroup stays busy for a moment after its last process has ended. */
async function removeCgroup(path: string): Promise<void> {
  if (existsSync(path)) await expect.poll(() => rmdirSync(path)).toBeUndefined()
}
