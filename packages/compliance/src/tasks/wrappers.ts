import { chmod, mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type Bench, useBench } from './bench.ts'
import { runtimeOptions } from './runtime-options.ts'
import type { CreateTasksSubject } from './subject.ts'
import { resourcesSpec } from './suite-spec.ts'

/** A call of a program that wraps runc. */
interface Call {
  readonly cwd: string
  readonly command: string
  /** Options before the command, by their names without dashes. */
  readonly global: Readonly<Record<string, string>>
  readonly args: readonly string[]
}

export function wrapperTests(create: CreateTasksSubject): void {
  describe('a program in place of runc', () => {
    const bench = useBench(create)

    test('is called in the bundle, with a log there, for all that is done to a container', async () => {
      const { path, calls } = await wrapper(bench())
      const { id } = await bench().created(
        { args: ['sleep', '1000'] },
        { options: runtimeOptions({ binaryName: path }) },
      )
      await life(bench(), id)
      const made = await calls()
      const commands = 'create start exec ps pause resume update kill delete'.split(' ')
      expect(made.map(({ command }) => command)).toEqual(expect.arrayContaining(commands))
      const bundle = optionOf(made[0], '--bundle')
      const global = { log: expect.stringContaining(`${bundle}/`), 'log-format': 'json' }
      for (const call of made) expect(call).toMatchObject({ cwd: bundle, global })
    })

    test('writes the numbers of processes to files in the bundle', async () => {
      const { path, calls } = await wrapper(bench())
      const { id, pid } = await bench().started(
        { args: ['sleep', '1000'] },
        { options: runtimeOptions({ binaryName: path }) },
      )
      const execPid = await bench().exec(id, 'one', { args: ['sleep', '1000'] })
      const [create, _start, exec] = await calls()
      const bundle = optionOf(create, '--bundle')
      const files = [`${bundle}/init.pid`, `${bundle}/one.pid`]
      expect([optionOf(create, '--pid-file'), optionOf(exec, '--pid-file')]).toEqual(files)
      const written = await Promise.all(files.map((file) => readFile(file, 'utf8')))
      expect(written.map(Number)).toEqual([pid, execPid])
    })
  })
}

function optionOf(call: Call | undefined, name: string): string {
  return call?.args[call.args.indexOf(name) + 1] ?? ''
}

/** Runs a created container through all operations. */
async function life(bench: Bench, id: string): Promise<void> {
  const { tasks } = bench
  await tasks.start(id)
  await bench.exec(id, 'one', { args: ['sleep', '1000'] })
  await tasks.pids(id)
  await tasks.pause(id)
  await tasks.resume(id)
  await tasks.update(id, { resources: resourcesSpec({ pids: { limit: 50 } }) })
  await tasks.kill(id, 9)
  await tasks.wait(id)
  await tasks.delete(id)
}

/** A script that records its arguments and executes runc. */
async function wrapper({ subject }: Bench): Promise<{ path: string; calls(): Promise<Call[]> }> {
  const directory = await mkdtemp(join(subject.directory, 'wrapper-'))
  const [path, record] = [join(directory, 'wrapper'), join(directory, 'record')]
  await writeFile(path, `#!/bin/sh\nprintf '%s\\n' "$(pwd -P)" "$@" '' >> '${record}'\nexec runc "$@"\n`)
  await chmod(path, 0o755)
  return {
    path,
    async calls() {
      const texts = (await readFile(record, 'utf8')).split('\n\n')
      const made = texts.filter((text) => text !== '').map((text) => parsed(text.split('\n')))
      // Its version may be asked for at any time, which is done to no container.
      return made.filter(({ command }) => command !== '')
    },
  }
}

function parsed([cwd = '', ...words]: readonly string[]): Call {
  const global: Record<string, string> = {}
  let at = 0
  for (; words[at]?.startsWith('--'); at += 2) global[words[at]!.slice(2)] = words[at + 1]!
  return { cwd, command: words[at] ?? '', global, args: words.slice(at + 1) }
}
