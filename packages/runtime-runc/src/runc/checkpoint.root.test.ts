import { access, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, test } from 'vitest'
import { hasEnded, testContainer } from '../testing/test-container.ts'
import { waitUntil } from '../testing/wait-until.ts'
import { checkpointArguments } from './checkpoint.ts'

const needs = { root: true, linux: true, programs: ['runc', 'busybox', 'criu'] } as const
// CRIU interrupts system calls, after which busybox's sleep ends early.
const waiting = { args: ['tail', '-f', '/dev/null'], namespaces: ['pid', 'ipc', 'uts'] }

describeWith(needs, 'a checkpoint', () => {
  test('ends the container, which goes on from it', async () => {
    await using container = await testContainer(waiting)
    const { runc, id, directory, launch } = container
    const at = (name: string) => join(directory, name)
    await runc.start(id)
    await runc.checkpoint(id, { imagePath: at('image'), workPath: at('work') })
    await waitUntil(hasEnded(container.pid))
    await runc.delete(id, { force: true })
    const restore = {
      bundle: at('bundle'),
      imagePath: at('image'),
      workPath: at('work'),
      pidFile: at('restored.pid'),
    }
    await launch(runc.restoreArguments(id, { ...restore, log: at('restored.log') }))
    const pid = Number(await readFile(restore.pidFile, 'utf8'))
    expect(await runc.state(id)).toMatchObject({ status: 'running', pid })
    expect(await readFile(`/proc/${pid}/comm`, 'utf8')).toBe('tail\n')
    await runc.kill(id, 9)
    await waitUntil(hasEnded(pid))
  })

  test('adds to one of memory alone, where the kernel knows which pages have changed', async () => {
    await using container = await testContainer(waiting)
    const { runc, id, directory } = container
    await runc.start(id)
    const { code } = await run('criu', ['check', '--feature', 'mem_dirty_track'])
    const before = runc.checkpoint(id, { imagePath: join(directory, 'first'), preDump: true })
    if (code !== 0) return await expect(before).rejects.toMatchObject({ code: 'unimplemented' })
    await before
    expect((await runc.state(id)).status).toBe('running')
    await runc.checkpoint(id, { imagePath: join(directory, 'second'), parentPath: '../first' })
    await access(join(directory, 'second/parent/inventory.img'))
  })

  test('leaves the container running where that is asked for', async () => {
    await using container = await testContainer(waiting)
    const { runc, id, directory } = container
    const imagePath = join(directory, 'image')
    await runc.start(id)
    await runc.checkpoint(id, { imagePath, leaveRunning: true })
    expect((await runc.state(id)).status).toBe('running')
    expect((await stat(join(imagePath, 'inventory.img'))).size).toBeGreaterThan(0)
  })

  test('is refused for a container that does not run, and fails in CRIU’s words', async () => {
    await using container = await testContainer(waiting)
    const { runc, id, directory } = container
    await runc.start(id)
    await expect(
      runc.checkpoint(id, { imagePath: join(directory, 'bundle/config.json/x') }),
    ).rejects.toMatchObject({
      code: 'unknown',
      message: expect.stringContaining('OCI runtime checkpoint failed'),
    })
    await runc.kill(id, 9)
    await waitUntil(hasEnded(container.pid))
    await expect(runc.checkpoint(id, { imagePath: join(directory, 'i') })).rejects.toMatchObject({
      code: 'failed_precondition',
    })
  })
})

test('a checkpoint has all options', () => {
  expect(
    checkpointArguments({
      imagePath: '/i',
      workPath: '/w',
      parentPath: '../p',
      leaveRunning: true,
      preDump: true,
      tcpEstablished: true,
      externalUnixSockets: true,
      shellJob: true,
      fileLocks: true,
      cgroupsMode: 'full',
      emptyNamespaces: ['network'],
      pageServer: '127.0.0.1:1',
      autoDedup: true,
    }),
  ).toEqual([
    ...['--image-path', '/i', '--work-path', '/w', '--parent-path', '../p', '--leave-running', '--pre-dump'],
    ...['--tcp-established', '--ext-unix-sk', '--shell-job', '--file-locks', '--manage-cgroups-mode', 'full'],
    ...['--empty-ns', 'network', '--page-server', '127.0.0.1:1', '--auto-dedup'],
  ])
})
