import { join } from 'node:path'
import { bundleSources, run, type TempDir, TestTerminal, tempDir } from '@nsbox/testing'
import { afterAll, beforeAll, expect, it } from 'vitest'

/** Prints the credentials that options come to. */
const source = `
import { credentialSource } from './registry-options.ts'
import { commandSignal } from './command-signal.ts'
const { signal, release } = commandSignal(undefined)
try {
  const source = await credentialSource(JSON.parse(process.argv[2]), { signal })
  console.log(JSON.stringify(await source({ host: 'example.com' })))
} catch (error) {
  console.log(error.message)
}
release()
`
let directory: TempDir
let program: string
beforeAll(async () => {
  directory = await tempDir('nsbox-credentials')
  program = await bundleSources(source, join(import.meta.dirname), directory.path)
})
afterAll(() => directory[Symbol.asyncDispose]())

const command = (options: object) => [process.execPath, program, JSON.stringify(options)] as const
const atTerminal = (options: object) => TestTerminal.start(command(options))

it('asks for the password that --user leaves out, at the terminal, without showing it', async () => {
  await using terminal = await atTerminal({ user: 'me' })
  await terminal.waitFor(/Password of me: /)
  terminal.type('hin\x7fdden:word\r')
  await terminal.waitFor(/"kind":"basic","username":"me","password":"hidden:word"/)
  expect(terminal.output.match(/hidd?/g)).toHaveLength(1)
  expect(await terminal.exited).toEqual({ code: 0, signal: null })
})

it.each([
  ['an interrupt', '\x03', /interrupted by SIGINT: context canceled/, 130],
  ['the end of the input', '\x04', /no password was given: context canceled/, 0],
])('is ended by %s at the question', async (_, key, message, code) => {
  await using terminal = await atTerminal({ user: 'me' })
  await terminal.waitFor(/Password of me: /)
  terminal.type(key)
  await terminal.waitFor(message)
  expect(await terminal.exited).toEqual({ code, signal: null })
})

it.each<[string, object, string, string | RegExp]>([
  [
    'reads the password of a user from standard input',
    { user: 'me', passwordStdin: true },
    'a b:c\n',
    '{"kind":"basic","username":"me","password":"a b:c"}\n',
  ],
  ['wants it there', { user: 'me', passwordStdin: true }, '\n', /standard input is empty/],
  ['takes no two passwords', { user: 'me:secret', passwordStdin: true }, 'x', /--password-stdin goes with/],
  ['bounds it', { user: 'me', passwordStdin: true }, 'x'.repeat(100_000), /more than 65536 bytes/],
  [
    'says where no terminal is that it needs one',
    { user: 'me' },
    'x',
    /no terminal to ask.*--password-stdin/,
  ],
])('%s', async (_, options, input, expected) => {
  const [node, ...args] = command(options)
  const { stdout } = await run(node, args, { input })
  if (typeof expected === 'string') expect(stdout).toBe(expected)
  else expect(stdout).toMatch(expected)
})
