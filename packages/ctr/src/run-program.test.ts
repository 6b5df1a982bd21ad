import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { NsboxError } from '@nsbox/errors'
import { bundleSources, run, type TempDir, tempDir } from '@nsbox/testing'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { Command } from 'commander'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { runProgram } from './run-program.ts'

let directory: TempDir
let ctr: string
beforeAll(async () => {
  const sources = join(import.meta.dirname, 'bin')
  directory = await tempDir('nsbox-ctr')
  ctr = await bundleSources(await readFile(join(sources, 'ctr.ts'), 'utf8'), sources, directory.path)
})
afterAll(() => directory[Symbol.asyncDispose]())

it.each([
  [['content', 'get'], "ctr: missing required argument 'digests'\n"],
  [['images', 'ls', '--nonsense'], "ctr: unknown option '--nonsense'\n"],
  [['nonsense'], "ctr: unknown command 'nonsense'\n"],
  [
    ['--timeout', 'soon', 'version'],
    /^ctr: option '--timeout <duration>' argument 'soon' is invalid\. .*\n$/,
  ],
])('says what is wrong with the arguments %j, with exit status 1', async (args, stderr) => {
  const { code, ...said } = await run(process.execPath, [ctr, ...args])
  expect({ code, stderr: said.stderr }).toEqual({
    code: 1,
    stderr: typeof stderr === 'string' ? stderr : expect.stringMatching(stderr),
  })
})

it('shows help with exit status 0', async () => {
  const { code, stdout } = await run(process.execPath, [ctr, 'images', '--help'])
  expect(code).toBe(0)
  expect(stdout).toMatch(/^Usage: ctr images/)
})

it('completes words in bash by the script that it prints', async () => {
  const bin = join(directory.path, 'bin')
  await mkdir(bin)
  await writeFile(join(bin, 'ctr'), `#!/bin/sh\nexec '${process.execPath}' '${ctr}' "$@"\n`, { mode: 0o755 })
  const script = `
    PATH=$1:$PATH
    source <(ctr completion bash)
    complete -p ctr
    completed() {
      COMP_LINE="$1" COMP_POINT=\${#1}
      _ctr_completion ctr "$2"
      echo "\${COMPREPLY[@]}"
    }
    completed 'ctr images ex' ex
    completed 'ctr deprecations ls --format=' ''
  `
  const { stdout, stderr } = await run('/bin/bash', ['-c', script, 'bash', bin])
  expect(stderr).toBe('')
  expect(stdout.split('\n')).toEqual([
    'complete -F _ctr_completion ctr',
    'export',
    // bash replaces only what follows the equals sign.
    'default json',
    '',
  ])
  for (const shell of ['zsh', 'fish']) {
    const printed = await run(process.execPath, [ctr, 'completion', shell])
    expect(printed).toMatchObject({ code: 0, stdout: expect.stringContaining(`__complete ${shell} -- `) })
  }
})

it('ends quietly when nobody reads its output any more', async () => {
  const child = spawn(process.execPath, [ctr, '--help'], { stdio: ['ignore', 'pipe', 'pipe'] })
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  child.stdout.destroy()
  const [code] = await once(child, 'close')
  expect({ code, errors }).toEqual({ code: 141, errors: '' })
})

it('tells what went wrong first when the cleaning up failed as well', async () => {
  const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  try {
    const program = new Command('prog').action(async () => {
      await using stack = new AsyncDisposableStack()
      for (const reason of ['third', 'second']) stack.defer(() => Promise.reject(new Error(reason)))
      throw new Error('first')
    })
    await runProgram(program, ['node', 'prog'])
    expect(said.mock.calls).toEqual([['prog: first\n']])
    expect(process.exitCode).toBe(1)
  } finally {
    said.mockRestore()
    process.exitCode = undefined
  }
})

it('tells what a pull has left, and how to be rid of it', async () => {
  const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  try {
    const program = new Command('prog').action(async () => {
      const details = { heldBytes: 3 << 20, heldLease: 'l', heldUntil: '2026-01-02T03:04:05Z' }
      throw new NsboxError('unavailable', 'the registry', { details })
    })
    await runProgram(program, ['node', 'prog'])
    expect(said.mock.calls.flat()).toEqual([
      'prog: the registry: unavailable\n',
      'prog: 3.0 MiB of it are kept for another attempt until 2026-01-02T03:04:05Z; ' +
        '`ctr leases rm --sync l` gives the room back\n',
    ])
  } finally {
    said.mockRestore()
    process.exitCode = undefined
  }
})

it('E13 shows what a terminal would obey in the words of others', async () => {
  const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  try {
    const program = new Command('prog').action(async () => {
      throw new Error('registry says \u001b[2J\u009b31m')
    })
    await runProgram(program, ['node', 'prog'])
    expect(said.mock.calls).toEqual([['prog: registry says \\u001b[2J\\u009b31m\n']])
  } finally {
    said.mockRestore()
    process.exitCode = undefined
  }
})
