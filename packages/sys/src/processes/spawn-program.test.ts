import { closeSync, openSync, readFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { errorCode } from '@nsbox/errors'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, test } from 'vitest'
import { closeAllOnExec } from '../descriptors/close-on-exec.ts'
import { pipe } from '../pipe.ts'
import { reapEndedChild } from './ended-children.ts'
import { type ProgramStart, spawnProgram } from './spawn-program.ts'

/** Runs a shell script to its end. */
async function shell(script: string, options: Partial<ProgramStart> = {}) {
  const output = pipe(65_536)
  const nothing = openSync('/dev/null', 'r+')
  const pid = spawnProgram({
    path: '/bin/sh',
    args: ['a name', '-c', script],
    env: {},
    stdio: [nothing, output.write, output.write],
    ...options,
  })
  closeSync(nothing)
  closeSync(output.write)
  for (;;) {
    const end = reapEndedChild(pid)
    if (end !== undefined) {
      const text = readFileSync(output.read, 'utf8')
      closeSync(output.read)
      return { end, text }
    }
    await setTimeout(2)
  }
}

describeWith({ linux: true }, 'a program that is started', () => {
  test('has its name, arguments, variables, directory and descriptors, and no others', async () => {
    // The test runner may have left descriptors open.
    closeAllOnExec()
    const env = { ONE: '1', ÄÖ: 'ü ü' }
    // The shell's open descriptors; with a pipe to another program it would have that, too.
    const descriptors = 'for fd in /proc/$$/fd/*; do if test -e $fd; then echo $fd; fi; done'
    const script = `echo "$0 $ONE"; pwd >&2; tr "\\0" ";" </proc/$$/environ; echo; ${descriptors}`
    const { end, text } = await shell(script, { env, cwd: '/usr' })
    expect(end).toEqual({ code: 0 })
    const [first, directory, variables, ...open] = text.trim().split('\n')
    expect([first, directory]).toEqual(['a name 1', '/usr'])
    expect(variables).toContain('ONE=1;ÄÖ=ü ü;')
    expect(open.map((path) => path.replace(/.*\//, ''))).toEqual(['0', '1', '2'])
  })

  test('tells how it ended', async () => {
    expect((await shell('exit 7')).end).toEqual({ code: 7 })
    expect((await shell('kill -9 $$')).end).toEqual({ signal: 9 })
  })

  test('has no signal ignored or blocked', async () => {
    const { text } = await shell('grep -E "Sig(Blk|Ign)" /proc/self/status')
    // 32 and 33 are the C library's own.
    expect(text.replace(/SigIgn:\t0000000[01]80000000/, 'SigIgn:\t0000000000000000')).toBe(
      'SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n',
    )
  })

  test('is missing, or is none', () => {
    const start = (path: string) => {
      const nothing = openSync('/dev/null', 'r+')
      try {
        spawnProgram({ path, args: ['x'], env: {}, stdio: [nothing, nothing, nothing] })
      } catch (error) {
        return errorCode(error)
      } finally {
        closeSync(nothing)
      }
      throw new Error('it was started')
    }
    expect(start('/nonexistent')).toBe('not_found')
    expect(start('/etc')).toBe('permission_denied')
    expect(start('/bin/sh\0x')).toBe('invalid_argument')
  })
})
