import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { removeCgroup, tempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, test } from 'vitest'
import { useServerProgram } from '../testing/server-process.ts'

describeWith({ root: true, linux: true }, 'a server program', () => {
  const program = useServerProgram()

  test('moves itself into the cgroup of its configuration, which it makes in every hierarchy', async () => {
    await using directory = await tempDir('nsbox-cgroup')
    const name = `nsbox-server-${process.pid}`
    const args = ['root', 'state'].flatMap((part) => [`--${part}`, join(directory.path, part)])
    try {
      await using server = await program.start([...args, '--cgroup-path', `${name}/inner`])
      const cgroups = (await readFile(`/proc/${server.pid}/cgroup`, 'utf8')).trim().split('\n')
      const named = cgroups.map((line) => [line, line.endsWith(`/${name}/inner`)])
      // A hierarchy without a mount is named there as well. One that somebody has mounted again has the same device.
      const mounts = (await readFile('/proc/self/mountinfo', 'utf8')).matchAll(
        /^\d+ \d+ (\d+:\d+) .* - cgroup2? /gm,
      )
      const mounted = new Set([...mounts].map(([, device]) => device))
      expect(named.filter(([, isThere]) => isThere).length).toBe(mounted.size)
      expect((await program.run([...args, '--cgroup-path', '../x'])).stderr).toContain('cgroup "../x"')
    } finally {
      await expect.poll(() => removeCgroup(`${name}/inner`)).toBeUndefined()
      await removeCgroup(name)
    }
  })
})
