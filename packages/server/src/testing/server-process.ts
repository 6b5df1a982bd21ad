import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { bundleSources, type RunningProcess, run, startProcess, type TempDir, tempDir } from '@nsbox/testing'
import { afterAll, beforeAll } from 'vitest'

/** The environment must not configure a server under test. */
const env = { NSBOX_CONFIG: '/dev/null' }

interface Options {
  readonly env?: Readonly<Record<string, string>>
  /** A program, with arguments, that starts it. */
  readonly by?: readonly string[]
  /** Text of its output that shows that it is ready; by default that it serves. */
  readonly ready?: RegExp
}

interface ServerProgram {
  /** Starts it, and waits until it serves. */
  start(args: readonly string[], options?: Options): Promise<RunningProcess>
  /** Runs it in cases where it should end by itself. */
  run(args: readonly string[], options?: Options): ReturnType<typeof run>
}

/** Bundles the server program from its sources before the tests of a file. */
export function useServerProgram(): ServerProgram {
  let directory: TempDir
  let program: string
  beforeAll(async () => {
    const sources = join(import.meta.dirname, '../bin')
    directory = await tempDir('nsbox-program')
    program = await bundleSources(
      await readFile(join(sources, 'nsbox-server.ts'), 'utf8'),
      sources,
      directory.path,
    )
  })
  afterAll(() => directory[Symbol.asyncDispose]())
  return {
    start: (args, options) => {
      const [first = '', ...others] = [...(options?.by ?? []), process.execPath, program, ...args]
      return startProcess(first, others, {
        ready: options?.ready ?? /serving/,
        stopTimeout: 20_000,
        env: { ...env, ...options?.env },
      })
    },
    run: (args, options) => run(process.execPath, [program, ...args], { env: { ...env, ...options?.env } }),
  }
}
