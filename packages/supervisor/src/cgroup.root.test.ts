import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync } from 'node:fs'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, test } from 'vitest'
import { SupervisorFixture } from './testing/supervised-shell.ts'

describeWith({ linux: true, root: true, programs: ['perl'] }, 'cgroups', () => {
  test('a supervisor sits in the cgroup that was asked for, one in each', async () => {
    await using fixture = await SupervisorFixture.create()
    let supervisor = await fixture.open()
    const name = `/nsbox-sup-${process.pid}`
    const hierarchies = readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .flatMap((line) => {
        const [before, after] = line.split(' - ')
        return after?.startsWith('cgroup') ? [before!.split(' ')[4]!] : []
      })
    for (const hierarchy of hierarchies) if (!hierarchy.endsWith('/cpuset')) mkdirSync(`${hierarchy}${name}`)
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
      for (const hierarchy of hierarchies) await removeCgroup(`${hierarchy}${name}`)
    }
    supervisor = await fixture.open()
    const missing = fixture.launch(supervisor, 'true', { cgroup: '/nonexistent' })
    await expect(missing).rejects.toMatchObject({ code: 'not_found' })
    expect(readdirSync(fixture.directory)).toEqual([])
  })
})

/** The cgroup stays busy for a moment after its last process has ended. */
async function removeCgroup(path: string): Promise<void> {
  if (existsSync(path)) await expect.poll(() => rmdirSync(path)).toBeUndefined()
}
