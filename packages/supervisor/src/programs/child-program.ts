import { closeSync, openSync } from 'node:fs'
import { Socket } from 'node:net'
import { pipe } from '@nsbox/sys'
import { type ChildEnd, spawnProgram } from '@nsbox/sys/processes'
import { childEnd } from './child-ends.ts'

/** Milliseconds that outputs are read after the end, since a surviving child, such as a hook's, may hold them open. */
const afterEnd = 500

const pipeBytes = 65_536

/** A program that runs as a child of this process. */
export interface ChildProgram {
  readonly stdin: Socket | undefined
  readonly stdout: Socket | undefined
  readonly stderr: Socket
  readonly end: Promise<ChildEnd>
  /** Resolves, after the end, when all its output has been read, or after a while. */
  readonly closed: Promise<void>
  /** Kills it, or its whole session if it began one. */
  kill(): void
}

/** What to run. */
export interface ChildRequest {
  readonly path: string
  readonly args: readonly string[]
  /** Its working directory; that of this process by default. */
  readonly cwd?: string | undefined
  readonly env: Readonly<Record<string, string>>
  /** Whether it begins a session; false by default. */
  readonly session?: boolean | undefined
  /** Whether its input is a pipe, rather than the null device. */
  readonly reads: boolean
  /** Whether its output is a pipe, rather than the null device. Its standard error always is. */
  readonly prints: boolean
}

/** Starts a program without a fork. @throws as `spawnProgram` */
export function startChild({ reads, prints, ...program }: ChildRequest): ChildProgram {
  const nothing = openSync('/dev/null', 'r+')
  const stdin = reads ? pipe(pipeBytes) : undefined
  const stdout = prints ? pipe(pipeBytes) : undefined
  const stderr = pipe(pipeBytes)
  let pid: number
  try {
    const stdio = [stdin?.read ?? nothing, stdout?.write ?? nothing, stderr.write] as const
    pid = spawnProgram({ ...program, stdio })
  } catch (error) {
    closeAll(stdin?.write, stdout?.read, stderr.read)
    throw error
  } finally {
    closeAll(nothing, stdin?.read, stdout?.write, stderr.write)
  }
  return child(pid, program.session === true ? -pid : pid, {
    stdin: stdin && new Socket({ fd: stdin.write, readable: false, writable: true }),
    stdout: stdout && new Socket({ fd: stdout.read, readable: true, writable: false }),
    stderr: new Socket({ fd: stderr.read, readable: true, writable: false }),
  })
}

function closeAll(...fds: readonly (number | undefined)[]): void {
  for (const fd of fds) if (fd !== undefined) closeSync(fd)
}

function child(
  pid: number,
  killed: number,
  streams: Pick<ChildProgram, 'stdin' | 'stdout' | 'stderr'>,
): ChildProgram {
  const outputs = [streams.stdout, streams.stderr].filter((stream) => stream !== undefined)
  const read = Promise.all(outputs.map((stream) => new Promise((resolve) => stream.once('close', resolve))))
  let running = true
  const end = childEnd(pid).finally(() => {
    running = false
  })
  return {
    ...streams,
    end,
    closed: end.then(() => within(read, afterEnd)),
    kill() {
      // After the wait, the pid may be reused.
      if (running) process.kill(killed, 'SIGKILL')
    },
  }
}

/** Waits for a promise, for a number of milliseconds at most. */
async function within(wanted: Promise<unknown>, milliseconds: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, milliseconds)
  })
  await Promise.race([wanted, late])
  clearTimeout(timer)
}
