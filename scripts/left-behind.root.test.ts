import { existsSync } from 'node:fs'
import { mkdir, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startProcess, tempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { expect, test } from 'vitest'
import { leftBehind } from './left-behind.mjs'

const hierarchy = join('/sys/fs/cgroup', existsSync('/sys/fs/cgroup/cgroup.procs') ? '' : 'pids')

describeWith({ root: true, linux: true }, 'what tests leave', () => {
  test('is told with its command line, and nothing of before or of another run', async () => {
    await using stack = new AsyncDisposableStack()
    const newCgroup = async (name: string) => {
      const path = join(hierarchy, `nsbox-${name}-${process.pid}`)
      await mkdir(path)
      // The kernel may take a moment to see it empty.
      stack.defer(() => expect.poll(() => rmdir(path)).toBeUndefined())
      return path
    }
    const [before, empty, ours, others] = await Promise.all(
      ['before', 'empty', 'ours', 'others'].map(newCgroup),
    )
    const sleeping = async (seconds: string, cgroup: string) => {
      const { path } = stack.use(await tempDir('nsbox-run'))
      const { pid } = stack.use(await startProcess('sleep', [seconds], { env: { TMPDIR: `${path}/x` } }))
      await writeFile(join(cgroup, 'cgroup.procs'), String(pid))
      return { path, pid }
    }
    const { path: temporary, pid } = await sleeping('701', ours!)
    await sleeping('702', others!)
    const left = await leftBehind({ temporary, cgroups: [before!] }, 0)
    expect(left[0]).toBe(`process ${pid}: sleep 701`)
    // Tests of other runs may come and go meanwhile.
    expect(left.filter((line) => line.includes(`-${process.pid}`)).sort()).toEqual([
      `cgroup ${empty}`,
      `cgroup ${ours}, with process ${pid}: sleep 701`,
    ])
  })
})
