import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { type RunOptions, type RunResult, run } from './run.ts'
import { startProcess } from './running-process.ts'
import { parseStrace, type SystemCall } from './strace-output.ts'
import { tempDir } from './temp-dir.ts'

const options = (syscalls: readonly string[], file: string) => [
  '--follow-forks',
  '--decode-fds=path',
  '--string-limit=256',
  `--trace=${syscalls.join(',')}`,
  `--output=${file}`,
]

/** Runs a program to its end under strace. @returns its system calls with these names */
export async function traceRun(
  syscalls: readonly string[],
  command: string,
  args: readonly string[],
  runOptions?: RunOptions,
): Promise<RunResult & { readonly calls: SystemCall[] }> {
  await using dir = await tempDir('nsbox-strace')
  const file = join(dir.path, 'calls')
  const result = await run('strace', [...options(syscalls, file), '--', command, ...args], runOptions)
  return { ...result, calls: parseStrace(await readFile(file, 'utf8')) }
}

export interface Trace extends AsyncDisposable {
  /** Ends the tracing; the process goes on. @returns the calls that it made meanwhile */
  stop(): Promise<SystemCall[]>
}

/** Traces a running process with all its threads and, from now on, its children. */
export async function traceProcess(syscalls: readonly string[], pid: number): Promise<Trace> {
  await using stack = new AsyncDisposableStack()
  const file = join(stack.use(await tempDir('nsbox-strace')).path, 'calls')
  const strace = stack.use(
    await startProcess('strace', [...options(syscalls, file), `--attach=${pid}`], { ready: /attached/ }),
  )
  const owned = stack.move()
  return {
    async stop() {
      await strace.stop()
      return parseStrace(await readFile(file, 'utf8'))
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
