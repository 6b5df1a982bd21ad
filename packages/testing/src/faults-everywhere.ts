import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type RunResult, run } from './run.ts'
import { traceRun } from './strace.ts'
import type { SystemCall } from './strace-output.ts'
import { tempDir } from './temp-dir.ts'

/** A program that changes a directory, and what is to go wrong in it. */
export interface FaultyRuns {
  /** Where each run gets a directory of its own. */
  readonly directory: string
  /** A module for Node, which gets the directory as its argument and is the same in every run. */
  readonly program: string
  /** The names of the system calls that the fault strikes where they are about the directory. */
  readonly calls: readonly string[]
  /** As `strace` takes it (strace(1), `--inject`). */
  readonly fault: 'signal=KILL' | `error=${string}`
  /** Whether a call is left alone, for its arguments; none is by default. */
  readonly spares?: (args: string) => boolean
  /** Makes a directory for a run. */
  prepare(root: string): Promise<void>
  /** Looks at what a run has left, and what came of it. */
  check(root: string, result: FaultyRun): Promise<void>
}

/** What came of a run in which one call was struck. */
export interface FaultyRun {
  /** The lines that the program printed. */
  readonly said: readonly string[]
  readonly signal: RunResult['signal']
  /** Whether the call has failed by the fault: a kill is none of it. */
  readonly failed: boolean
}

/**
 * One thread for file system calls besides the main one, so that each call has the same number in every run. strace
 * counts by thread, and fails the call once in each.
 */
const env = { UV_THREADPOOL_SIZE: '1' }

/** Runs a program once for each call that is to be struck, and returns how many there were. */
export async function faultsEverywhere(runs: FaultyRuns): Promise<number> {
  const { directory, program, calls: names, fault, spares, prepare, check } = runs
  await using logs = await tempDir('nsbox-faults')
  const traced = join(directory, 'traced')
  await prepare(traced)
  const { calls } = await traceRun(names, process.execPath, [program, traced], { env })
  const places = placesOf(calls, traced).filter(({ args }) => !spares?.(args))
  for (const [index, { name, number, args }] of places.entries()) {
    const root = join(directory, String(index))
    await prepare(root)
    const log = join(logs.path, String(index))
    const inject = `--inject=${name}:${fault}:when=${number}`
    const strace = ['--follow-forks', `--trace=${name}`, inject, `--output=${log}`, '--', process.execPath]
    // Filtering in the kernel saves time, but strace's signals get lost with it.
    if (!fault.startsWith('signal')) strace.unshift('--seccomp-bpf')
    const { stdout, stderr, signal } = await run('strace', [...strace, program, root], { env })
    const said = stdout.split('\n').filter((line) => line !== '')
    try {
      const failed = (await readFile(log, 'utf8')).includes('(INJECTED)')
      await check(root, { said, signal, failed })
    } catch (cause) {
      const place = `${name} ${number} (${args.replaceAll(traced, 'ROOT')})`
      throw new Error(`${place}\n${stdout}${stderr}`, { cause })
    }
  }
  return places.length
}

interface Place {
  readonly name: string
  /** Counts the calls of this name by the thread, from 1. */
  readonly number: number
  readonly args: string
}

/** The calls that are about a directory. */
function placesOf(calls: readonly SystemCall[], root: string): Place[] {
  const counts = new Map<string, number>()
  return calls.flatMap(({ pid, name, args }) => {
    const number = (counts.get(`${pid} ${name}`) ?? 0) + 1
    counts.set(`${pid} ${name}`, number)
    return args.includes(root) ? [{ name, number, args }] : []
  })
}
