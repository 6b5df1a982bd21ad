import { constants } from 'node:os'
import { runOrThrow } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, test } from 'vitest'
import { CFunction } from './c-function.ts'

const { EBADF, ENOENT, EINVAL } = constants.errno

describeWith({ linux: true }, 'a function of C', () => {
  const access = new CFunction('int access(const char *path, int mode)')
  const openat2 = new CFunction(
    'long openat2(int directory, const char *path, const void *how, size_t size)',
    {
      systemCall: 437,
    },
  )

  test('returns what the call returned, or the negated errno, from this thread and from another', async () => {
    for (const call of [access.call.bind(access), access.callInThread.bind(access)]) {
      expect(await call('/', 0)).toBe(0)
      expect(await call('/nonexistent', 0)).toBe(-ENOENT)
      expect(await call(Buffer.from('/nonexistent'), 0)).toBe(-ENOENT)
    }
  })

  test('by its number does the same', async () => {
    const how = new BigUint64Array(3)
    expect(openat2.call(-1, 'x', how, 24)).toBe(-EBADF)
    expect(await openat2.callInThread(-1, 'x', how, 3)).toBe(-EINVAL)
    expect(() => openat2.callOrThrow(-1, 'x', how, 24)).toThrow('openat2 "x": EBADF')
  })

  test('says in an error what was called, and with which path, whatever is in it', () => {
    expect(() => access.callOrThrow('/a\n', 0)).toThrow(
      expect.objectContaining({
        code: 'not_found',
        message: 'access "/a\\n": ENOENT: not found',
        details: { errno: 'ENOENT' },
      }),
    )
    const fchmod = new CFunction('int fchmod(int fd, uint mode)')
    expect(() => fchmod.callOrThrow(-1, 0)).toThrow('fchmod: EBADF: unknown')
  })

  test.each([
    ['a NUL', 'a\0b'],
    ['a NUL among bytes', Buffer.from('a\0b')],
    ['a lone surrogate', 'a\ud800'],
  ])('takes no text with %s, alone or in a list', async (_, text) => {
    const refused = expect.objectContaining({ code: 'invalid_argument' })
    expect(() => access.call(text, 0)).toThrow(refused)
    await expect(access.callInThread(text, 0)).rejects.toEqual(refused)
    const execv = new CFunction('int execv(const char *path, const char **args)')
    if (typeof text === 'string') expect(() => execv.call('/nonexistent', ['x', text, null])).toThrow(refused)
  })

  test('that this C library lacks is unimplemented', () => {
    expect(() => new CFunction('int no_such_function(int x)').call(1)).toThrow(
      expect.objectContaining({
        code: 'unimplemented',
        message: expect.stringContaining('no_such_function'),
      }),
    )
  })

  test('that a signal interrupts is called again', async () => {
    // poll(2) is never restarted after a signal handler has run (signal(7)), unlike reading from a pipe.
    const script = `
      import { spawn } from 'node:child_process'
      import { CFunction } from '${new URL('./c-function.ts', import.meta.url).href}'
      import { pipe } from '${new URL('./pipe.ts', import.meta.url).href}'
      const poll = new CFunction('int poll(void *fds, ulong count, int timeout)')
      let signals = 0
      process.on('SIGUSR1', () => signals++)
      const { read, write } = pipe(4096)
      const stdio = ['ignore', 'ignore', 'inherit', write]
      spawn('sh', ['-c', 'sleep 0.2; kill -USR1 $PPID; sleep 0.2; echo x >&3'], { stdio })
      const result = poll.call(new Int32Array([read, 1]), 1, 20_000)
      setTimeout(() => console.log(result, signals), 20)`
    const args = ['--conditions=@nsbox/source', '--import', 'tsx', '--input-type=module', '-e', script]
    expect((await runOrThrow(process.execPath, args)).stdout).toBe('1 1\n')
  })
})
