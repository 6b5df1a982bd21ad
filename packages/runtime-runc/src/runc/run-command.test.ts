import { open, readdir } from 'node:fs/promises'
import { tempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, test } from 'vitest'
import { fakeRunc } from '../testing/fake-runc.ts'
import { runCommand } from './run-command.ts'
import { Runc } from './runc.ts'

const request = (script: string) =>
  ({ command: 'state', binary: 'sh', args: ['-c', script], prints: true, timeout: 10_000 }) as const

describeWith({ linux: true }, 'a command of the runtime', () => {
  test('returns what it printed, and reads what it is given', async () => {
    expect(await runCommand({ ...request('cat'), input: Buffer.from('hello') })).toBe('hello')
  })

  test('is not read where what it prints is not wanted', async () => {
    expect(await runCommand({ ...request('yes | head -c 1000000'), prints: false })).toBe('')
  })

  test('B18: has no descriptor that this process has opened', async () => {
    const files = await Promise.all(Array.from({ length: 20 }, () => open('/')))
    try {
      // The shell opens the directory itself, and may have inherited descriptors that were not opened here.
      const seen = (await runCommand(request('ls -l /proc/self/fd'))).matchAll(/ (\d+) -> \/$/gm)
      expect([...seen]).toEqual([])
    } finally {
      await Promise.all(files.map((file) => file.close()))
    }
  })

  test('fails with the last error of its log, or its last line, or how it ended', async () => {
    const log = (level: string, msg: string) => `echo '${JSON.stringify({ level, msg })}' >&2;`
    await expect(
      runCommand(
        request(`${log('error', 'first')} ${log('error', 'second')} ${log('warning', 'third')} exit 1`),
      ),
    ).rejects.toMatchObject({ message: 'OCI runtime state failed: second: unknown' })
    await expect(runCommand(request('echo a >&2; echo b >&2; exit 1'))).rejects.toThrow('failed: b: unknown')
    await expect(runCommand(request('exit 3'))).rejects.toThrow('failed: exit status 3')
    await expect(runCommand(request('kill -9 $$'))).rejects.toThrow('failed: ended by SIGKILL')
  })

  test('is killed when it takes too long, and when the caller gives up', async () => {
    await expect(runCommand({ ...request('exec sleep 1000'), timeout: 50 })).rejects.toMatchObject({
      code: 'deadline_exceeded',
    })
    const reason = new Error('enough')
    const controller = new AbortController()
    const running = runCommand({ ...request('exec sleep 1000'), signal: controller.signal })
    controller.abort(reason)
    await expect(running).rejects.toBe(reason)
    await expect(runCommand({ ...request('true'), signal: controller.signal })).rejects.toBe(reason)
  })

  test('is killed when it prints without end, and may complain without end', async () => {
    await expect(runCommand(request('exec yes'))).rejects.toMatchObject({ code: 'resource_exhausted' })
    await expect(
      runCommand(request('head -c 1000000 /dev/zero | tr "\\0" x >&2; echo >&2; echo end >&2; exit 1')),
    ).rejects.toThrow('failed: end')
  })

  test('is not waited for by who inherits its outputs, and leaves no descriptor', async () => {
    const before = await readdir('/proc/self/fd')
    expect(await runCommand(request('sleep 3 & echo done'))).toBe('done\n')
    expect((await readdir('/proc/self/fd')).length).toBe(before.length)
  })

  test('does not hear of the service manager of this process', async () => {
    process.env.NOTIFY_SOCKET = '/run/systemd/notify'
    try {
      expect(await runCommand(request('echo "$NOTIFY_SOCKET"'))).toBe('\n')
    } finally {
      delete process.env.NOTIFY_SOCKET
    }
  })

  test('can be made to fail, hang, lie and die', async () => {
    await using scratch = await tempDir()
    const fake = await fakeRunc(scratch.path, '/bin/echo')
    const runc = new Runc({ binary: fake.binary, root: '/nonexistent' })
    await runc.start('a')
    await fake.set('start', { fail: 'container does not exist' })
    await expect(runc.start('a')).rejects.toMatchObject({ code: 'not_found' })
    await fake.set('start', { failAfter: 'no' })
    await expect(runc.start('a')).rejects.toThrow('OCI runtime start failed: no')
    await fake.set('start', { hang: 'before' })
    await expect(runc.start('a', { timeout: 200 })).rejects.toMatchObject({ code: 'deadline_exceeded' })
    await fake.set('start', { die: 'after' })
    await expect(runc.start('a')).rejects.toThrow('SIGKILL')
    await fake.set('start', undefined)
    await runc.start('a')
    await fake.set('state', { lie: '{"id":"a","pid":1,"status":"running","bundle":"/"}' })
    expect(await runc.state('a')).toEqual({ id: 'a', pid: 1, status: 'running', bundle: '/' })
    await fake.set('state', { lie: '[]' })
    await expect(runc.state('a')).rejects.toThrow('of another kind')
    expect(await fake.calls()).toEqual([
      'start',
      'start',
      'start',
      'start',
      'start',
      'start',
      'state',
      'state',
    ])
  })
})
