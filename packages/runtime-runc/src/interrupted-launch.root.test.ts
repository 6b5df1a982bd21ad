import { existsSync } from 'node:fs'
import { chmod, mkdir, readdir, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { containerSpec, tasksOfRuntime } from '@nsbox/compliance/tasks'
import { busyboxRootfs, type RootfsMount, tempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openRuncRuntime } from './open-runc-runtime.ts'

describeWith(
  { root: true, linux: true, programs: ['runc', 'busybox'] },
  'a launch that is interrupted',
  () => {
    let resources: AsyncDisposableStack
    let path: string
    let rootfs: RootfsMount[]
    let cgroups: string[]
    let warnings: string[]

    /** Makes the cgroup of a container, as runc does first, and is killed before it has written any state. */
    const script = () => `#!/bin/sh
for argument; do
  [ "$argument" != create ] || { mkdir -p ${cgroups.join(' ')}; touch '${path}/begun'; exec sleep 100000; }
done
exec runc "$@"
`

    beforeEach(async () => {
      resources = new AsyncDisposableStack()
      path = resources.use(await tempDir('nsbox-launch')).path
      rootfs = await busyboxRootfs(join(path, 'rootfs'))
      const hierarchies = (await readdir('/sys/fs/cgroup')).includes('cgroup.procs')
        ? ['']
        : ['pids', 'memory']
      cgroups = hierarchies.map((name) => join('/sys/fs/cgroup', name, `nsbox-suite-x-${process.pid}`))
      warnings = []
      await writeFile(join(path, 'program'), script())
      await chmod(join(path, 'program'), 0o755)
    })
    afterEach(async () => {
      await resources.disposeAsync()
      for (const cgroup of cgroups) if (existsSync(cgroup)) await rmdir(cgroup)
      expect(warnings).toEqual([])
    })

    const open = async () =>
      resources.use(
        await openRuncRuntime({
          directory: join(path, 'runtime'),
          binary: join(path, 'program'),
          onEvent: () => undefined,
          onWarning: (message, error) => void warnings.push(`${message} ${error}`),
        }),
      )

    for (const before of [false, true])
      test(`leaves ${before ? 'the cgroup that was there before' : 'no cgroup'}`, async () => {
        const { tasks, newContainer } = tasksOfRuntime((await open()).namespace('launch'))
        const id = `x-${process.pid}`
        await newContainer(id, containerSpec(id, { args: ['true'] }))
        if (before) for (const cgroup of cgroups) await mkdir(cgroup, { recursive: true })
        const stop = new AbortController()
        const creating = tasks.create(id, { rootfs, signal: stop.signal })
        await expect.poll(() => existsSync(join(path, 'begun'))).toBe(true)
        stop.abort(new Error('enough'))
        await expect(creating).rejects.toThrow('enough')
        expect(cgroups.map((cgroup) => existsSync(cgroup))).toEqual(cgroups.map(() => before))
      })

    test('leaves no cgroup when the daemon was killed meanwhile', async () => {
      const bundle = join(path, 'runtime/bundles/launch/x')
      await mkdir(bundle, { recursive: true })
      for (const cgroup of cgroups) await mkdir(cgroup, { recursive: true })
      const record = {
        format: 1,
        choice: { binary: 'runc', root: join(path, 'runtime/runc/launch'), systemdCgroup: false },
        ...{ sharesPids: false, io: { stdin: '', stdout: '', stderr: '', terminal: false } },
        ...{ newCgroup: `/nsbox-suite-x-${process.pid}`, pid: 0, started: false },
      }
      await writeFile(join(bundle, 'task.json'), JSON.stringify(record))
      await open()
      expect(existsSync(bundle)).toBe(false)
      expect(cgroups.filter((cgroup) => existsSync(cgroup))).toEqual([])
    })
  },
)
