import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runOrThrow, type TempDir, TestTerminal, tempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const packages = join(import.meta.dirname, '../../packages')

/** The programs, by their names, with where they have been built. */
const programs = {
  ctr: 'ctr/bin/ctr.mjs',
  dist: 'dist/bin/dist.mjs',
  'nsbox-server': 'server/bin/nsbox-server.mjs',
}

let directory: TempDir
let env: Record<string, string>
let settings: string

/** Programs that complete and, if they are run, show their arguments: a line as the shell has it is seen by that. */
beforeAll(async () => {
  directory = await tempDir('nsbox-shells')
  const bin = join(directory.path, 'bin')
  await mkdir(bin)
  for (const [name, path] of Object.entries(programs)) {
    const real = `exec '${process.execPath}' '${join(packages, path)}' "$@"`
    const shown = `printf 'ran ${name}'; printf ' [%s]' "$@"; echo`
    const script = `#!/bin/sh\ncase $1 in completion | __complete) ${real} ;; esac\n${shown}\n`
    await writeFile(join(bin, name), script, { mode: 0o755 })
  }
  settings = join(directory.path, 'settings.toml')
  await writeFile(settings, '')
  env = {
    PATH: `${bin}:${process.env.PATH}`,
    HOME: directory.path,
    XDG_CONFIG_HOME: directory.path,
    XDG_DATA_HOME: directory.path,
    HISTFILE: '',
  }
})
afterAll(() => directory?.[Symbol.asyncDispose]())

/** What is typed, with the key of completion, and the arguments that the program has in the end. */
const typed: [keys: string, ran: () => string][] = [
  ['ctr im\t', () => 'ran ctr [images]'],
  ['ctr images exp\t', () => 'ran ctr [images] [export]'],
  ['ctr deprecations ls --format=j\t', () => 'ran ctr [deprecations] [ls] [--format=json]'],
  ['dist refer\t', () => 'ran dist [referrers]'],
  ['dist pull --no-un\t', () => 'ran dist [pull] [--no-unpack]'],
  ['nsbox-server conf\tdef\t', () => 'ran nsbox-server [config] [default]'],
  ['nsbox-server --durab\trel\t', () => 'ran nsbox-server [--durability] [relaxed]'],
  ['nsbox-server --config ~/sett\t', () => `ran nsbox-server [--config] [${settings}]`],
]

/** How a shell is started without settings of anybody, and made to complete. */
const atTerminal = {
  bash: { command: ['bash', '--norc', '--noprofile', '-i'], before: ':' },
  zsh: { command: ['zsh', '-f', '-i'], before: 'autoload -Uz compinit && compinit -u -D' },
}

describe.each(['bash', 'zsh'] as const)('%s at a terminal', (shell) => {
  describeWith({ linux: true, programs: [shell] }, 'completes', () => {
    let terminal: TestTerminal

    beforeAll(async () => {
      const { command, before } = atTerminal[shell]
      terminal = await TestTerminal.start(command, { env })
      const sources = Object.keys(programs).map((name) => `source <(${name} completion ${shell})`)
      terminal.type(`${[before, ...sources, 'echo ready-$((1 + 1))'].join('; ')}\n`)
      await terminal.waitFor(/ready-2/)
    })
    afterAll(() => terminal?.[Symbol.asyncDispose]())

    it.each(typed)('%j', async (keys, ran) => {
      terminal.type(`${keys}\n`)
      await terminal.waitFor(exactly(ran()))
    })
  })
})

function exactly(line: string): RegExp {
  return new RegExp(`${line.replaceAll(/[.[\]]/g, '\\$&')}\r?\n`)
}

describeWith({ programs: ['fish'] }, 'fish', () => {
  const wanted = {
    'ctr im': ['images'],
    'ctr images exp': ['export'],
    'ctr deprecations ls --format=j': ['--format=json'],
    'dist refer': ['referrers'],
    'dist pull --no-un': ['--no-unpack'],
    'nsbox-server config ': ['check', 'default', 'dump', 'help'],
    'nsbox-server --durab': ['--durability'],
    'nsbox-server --durability ': ['full', 'relaxed'],
    'nsbox-server --config ~/sett': ['~/settings.toml'],
  }

  it('completes commands, options, their values and files', async () => {
    const sources = Object.keys(programs).map((name) => `${name} completion fish | source`)
    const each = 'for line in $argv; complete --do-complete $line; echo; end'
    const args = ['--no-config', '--command', [...sources, each].join('; '), ...Object.keys(wanted)]
    const { stdout } = await runOrThrow('fish', args, { env })
    // Without what it says about each.
    const offered = stdout.split('\n\n').map((lines) => lines.replaceAll(/\t.*/g, '').split('\n').toSorted())
    expect(offered).toEqual([...Object.values(wanted), ['']])
  })
})
