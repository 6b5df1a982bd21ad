import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { NsboxError } from '@nsbox/errors'
import { tempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, test } from 'vitest'
import { testContainer } from '../testing/test-container.ts'
import { waitUntil } from '../testing/wait-until.ts'
import { Runc } from './runc.ts'

const sleeping = { args: ['sleep', '1000'] }
const stopped = (container: { id: string; runc: Runc }) =>
  waitUntil(async () => (await container.runc.state(container.id)).status === 'stopped')

describeWith({ root: true, linux: true, programs: ['runc', 'busybox'] }, 'Runc', () => {
  test('takes a container through its life', async () => {
    await using container = await testContainer(sleeping)
    const { runc, id, pid } = container
    expect(await runc.state(id)).toMatchObject({
      id,
      pid,
      status: 'created',
      bundle: join(container.directory, 'bundle'),
    })
    await runc.start(id)
    expect((await runc.state(id)).status).toBe('running')
    expect(await runc.ps(id)).toEqual([pid])
    expect((await runc.list()).map(({ id, status }) => ({ id, status }))).toEqual([{ id, status: 'running' }])
    await runc.pause(id)
    expect((await runc.state(id)).status).toBe('paused')
    await runc.resume(id)
    await runc.update(id, Buffer.from(JSON.stringify({ pids: { limit: 20 } })))
    await runc.kill(id, 9)
    await stopped(container)
    await runc.delete(id)
    expect(await runc.list()).toEqual([])
  })

  test('launches another process, whose pid is written down', async () => {
    await using container = await testContainer(sleeping)
    const { runc, id, directory } = container
    await runc.start(id)
    const process = join(directory, 'process.json')
    await writeFile(
      process,
      JSON.stringify({ args: ['sleep', '1000'], cwd: '/', user: { uid: 0, gid: 0 }, env: ['PATH=/bin'] }),
    )
    const pidFile = join(directory, 'exec.pid')
    await container.launch(runc.execArguments(id, { process, pidFile, log: join(directory, 'exec.log') }))
    expect(await runc.ps(id)).toHaveLength(2)
    await runc.kill(id, 9, { all: true })
    await stopped(container)
  })

  test('kills a paused container', async () => {
    await using container = await testContainer(sleeping)
    await container.runc.start(container.id)
    await container.runc.pause(container.id)
    await container.runc.kill(container.id, 9)
    await stopped(container)
  })

  test('deletes with force what runs, and what is not there', async () => {
    await using container = await testContainer(sleeping)
    const { runc, id } = container
    await runc.start(id)
    await runc.delete(id, { force: true })
    await runc.delete(id, { force: true })
    expect(await runc.list()).toEqual([])
  })

  test('tells states by codes, and a process that has ended as clients know it', async () => {
    await using container = await testContainer(sleeping)
    const { runc, id } = container
    await runc.start(id)
    await expect(runc.start(id)).rejects.toMatchObject({ code: 'failed_precondition' })
    await expect(runc.resume(id)).rejects.toMatchObject({ code: 'failed_precondition' })
    await expect(runc.delete(id)).rejects.toMatchObject({ code: 'failed_precondition' })
    await runc.kill(id, 9)
    await stopped(container)
    await expect(runc.kill(id, 9)).rejects.toMatchObject({ message: 'process already finished: not found' })
    await expect(runc.pause(id)).rejects.toMatchObject({ code: 'failed_precondition' })
    await expect(runc.update(id, Buffer.from('{}'))).rejects.toMatchObject({ code: 'failed_precondition' })
    for (const missing of [
      () => runc.start('missing'),
      () => runc.kill('missing', 9),
      () => runc.pause('missing'),
      () => runc.resume('missing'),
      () => runc.state('missing'),
      () => runc.ps('missing'),
      () => runc.update('missing', Buffer.from('{}')),
      () => runc.delete('missing'),
      () => runc.checkpoint('missing', { imagePath: '/nonexistent' }),
    ])
      await expect(missing()).rejects.toMatchObject({ code: 'not_found' })
  })

  test('keeps the words of the runtime when a launch fails', async () => {
    await expect(testContainer({ args: ['no-such-program'] })).rejects.toMatchObject({ exitCode: 1 })
    await using container = await testContainer(sleeping)
    const { runc, id, directory } = container
    const log = join(directory, 'second')
    const bundle = join(directory, 'bundle')
    await writeFile(log, '{"level":"info","msg":"of no interest"}\n')
    await expect(
      container.launch(runc.createArguments(id, { bundle, log, pidFile: join(directory, 'pid2') })),
    ).rejects.toThrow()
    const failure = new NsboxError('unknown', 'failed', { details: { exitCode: 1, stderr: '' } })
    expect(await runc.launchError('create', log, failure)).toMatchObject({
      code: 'already_exists',
      cause: failure,
    })
  })

  test('tells version and features', async () => {
    const runc = new Runc()
    expect(await runc.version()).toMatchObject({ name: 'runc', version: expect.stringMatching(/^\d+\.\d+/) })
    expect(await runc.features()).toMatchObject({
      ociVersionMin: expect.any(String),
      hooks: expect.any(Array),
    })
  })

  test('names a missing program in quotes', async () => {
    await using scratch = await tempDir()
    await writeFile(join(scratch.path, 'not-executable'), '')
    await expect(new Runc({ binary: 'no-runc' }).state('a')).rejects.toThrow(
      'exec: "no-runc": executable file not found in $PATH',
    )
    await expect(new Runc({ binary: `${scratch.path}/no-runc` }).state('a')).rejects.toThrow('no such file')
    await expect(new Runc({ binary: `${scratch.path}/not-executable` }).state('a')).rejects.toThrow(
      'permission',
    )
  })
})
