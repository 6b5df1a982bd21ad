import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { type RunningProcess, runOrThrow, startProcess } from '@nsbox/testing'

/** What a processor did at a moment. */
export interface Sample {
  /** Name of the thread; `swapper` is the kernel with nothing to do. */
  readonly thread: string
  readonly pid: number
  /** Seconds of CLOCK_MONOTONIC. */
  readonly time: number
  /** Functions with their files, the innermost first. */
  readonly frames: readonly string[]
}

/** Samples for each processor and second; a number that no timer of the system has. */
export const frequency = 1999

/** A profile of the whole machine by `perf`, from Debian's `linux-perf`. */
export class Profile implements AsyncDisposable {
  readonly #file: string
  readonly #perf: RunningProcess

  private constructor(file: string, perf: RunningProcess) {
    this.#file = file
    this.#perf = perf
  }

  static async start(directory: string): Promise<Profile> {
    const file = join(directory, 'perf.data')
    const flags = ['--all-cpus', '--event', 'cpu-clock', '--clockid', 'CLOCK_MONOTONIC', '-g']
    const perf = await startProcess(
      'perf',
      ['record', ...flags, '--freq', `${frequency}`, '--output', file],
      { stopTimeout: 60_000 },
    )
    const started = async () => (await stat(file).catch(() => undefined))?.size ?? 0
    while ((await started()) === 0) await sleep(50)
    return new Profile(file, perf)
  }

  /** Ends it. @returns its samples, in no order */
  async *samples(): AsyncGenerator<Sample> {
    await this.#perf.stop()
    const fields = [
      'script',
      '--input',
      this.#file,
      '--fields',
      'comm,pid,time,ip,sym,dso',
      '--max-stack',
      '40',
    ]
    const perf = spawn('perf', fields, { stdio: ['ignore', 'pipe', 'ignore'] })
    const ended = once(perf, 'close')
    let sample: (Sample & { frames: string[] }) | undefined
    for await (const line of createInterface({ input: perf.stdout })) {
      const head = /^(\S.*?)\s+(\d+)\s+([\d.]+):/.exec(line)
      if (head !== null) {
        if (sample !== undefined) yield sample
        sample = { thread: head[1]!, pid: Number(head[2]), time: Number(head[3]), frames: [] }
      } else if (line.trim() !== '') sample?.frames.push(line.trim().replace(/^[0-9a-f]+ /, ''))
    }
    if (sample !== undefined) yield sample
    const [code] = (await ended) as [number]
    if (code !== 0) throw new Error(`perf script: exit status ${code}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#perf.stop()
    await runOrThrow('rm', ['-f', this.#file])
  }
}
