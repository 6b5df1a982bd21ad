import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { RunOptions, RunResult } from '@nsbox/testing'

/** A command of one of our programs, as `command-host.mjs` takes it. */
export interface CommandRequest {
  readonly program: 'ctr' | 'dist'
  readonly args: readonly string[]
  readonly input?: string | Uint8Array
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly cwd?: string
}

/** What `command-host.mjs` answers. */
export interface CommandAnswer {
  readonly code: number
  readonly stdout: Uint8Array
  readonly stderr: Uint8Array
}

/** Output is not bounded. */
export type CommandOptions = Omit<RunOptions, 'maxOutput'>

/** Processes that wait for a command. */
const idle: ChildProcess[] = []

/**
 * As `run`, of one of our programs: not in a process of its own, but in one that has run other commands before. For
 * tests that are about what a command says and does; signals, terminals and how a process ends need one of its own.
 */
export async function runCommand(
  program: CommandRequest['program'],
  args: readonly string[],
  { timeout = 60_000, input, env, cwd }: CommandOptions = {},
): Promise<RunResult> {
  const host = idle.pop() ?? startHost()
  const request: CommandRequest = {
    program,
    args,
    ...(input !== undefined && { input }),
    ...(env && { env }),
    ...(cwd !== undefined && { cwd }),
  }
  host.ref()
  host.channel!.ref()
  host.send(request)
  const what = `${program} ${args.join(' ')}`
  const { code, stdout, stderr } = await answerOf(host, what, timeout)
  host.unref()
  host.channel!.unref()
  idle.push(host)
  const stdoutBytes = Buffer.from(stdout)
  return {
    code,
    signal: null,
    stdoutBytes,
    stdout: stdoutBytes.toString(),
    stderr: Buffer.from(stderr).toString(),
  }
}

function startHost(): ChildProcess {
  return fork(join(import.meta.dirname, 'command-host.mjs'), { serialization: 'advanced', execArgv: [] })
}

/** A process elsewhere that runs commands one after the other. */
export interface CommandHost extends AsyncDisposable {
  run(request: CommandRequest): Promise<CommandAnswer>
}

/** Where a command host is. */
export interface CommandHostPlace {
  /** The program and its arguments that start another program there. */
  readonly within: readonly string[]
  /** Where the checkout is there. */
  readonly checkout: string
  /** All of its environment. */
  readonly env: Readonly<Record<string, string>>
  /** The Node there; this one by default. */
  readonly node?: string
}

/** Starts one. */
export function startCommandHost({
  within,
  checkout,
  env,
  node = process.execPath,
}: CommandHostPlace): CommandHost {
  const file = join(checkout, 'test/integration/command-host.mjs')
  const [first, ...others] = [...within, node, file]
  const stdio = ['ignore', 'inherit', 'inherit', 'ipc'] as const
  const host = spawn(first!, others, { stdio: [...stdio], serialization: 'advanced', env: { ...env } })
  const ended = once(host, 'exit')
  let last: Promise<unknown> = Promise.resolve()
  return {
    run(request) {
      const answer = last.then(() => {
        host.send(request)
        return answerOf(host, `${request.program} ${request.args.join(' ')}`, 120_000)
      })
      last = answer.catch(() => undefined)
      return answer
    },
    async [Symbol.asyncDispose]() {
      if (host.connected) host.disconnect()
      await ended
    },
  }
}

/** Ends the host if it does not answer, or not in time. */
async function answerOf(host: ChildProcess, what: string, timeout: number): Promise<CommandAnswer> {
  const settled = new AbortController()
  const { signal } = settled
  const timer = setTimeout(() => settled.abort(new Error(`${what}: not ended after ${timeout} ms`)), timeout)
  try {
    const ended = once(host, 'exit', { signal }).then(([code]) => {
      throw new Error(`${what}: its process ended with ${code}`)
    })
    const [answer] = await Promise.race([once(host, 'message', { signal }), ended])
    return answer
  } catch (error) {
    host.kill('SIGKILL')
    throw signal.aborted ? signal.reason : error
  } finally {
    clearTimeout(timer)
    settled.abort()
  }
}
