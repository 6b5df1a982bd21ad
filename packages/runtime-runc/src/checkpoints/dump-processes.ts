import { closeSync } from 'node:fs'
import { realpath } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { NsboxError } from '@nsbox/errors'
import { signalPidfd } from '@nsbox/sys/processes'
import { pidfdOf } from '../cgroups/signal-processes.ts'
import { hasEnded } from '../runc/has-ended.ts'
import { hasOpen } from './has-open.ts'
import { commandLine, type HelperProcess, helperProcess, helperProcesses } from './helper-processes.ts'

const SIGKILL = 9
/** Milliseconds that CRIU may take to release the processes; it writes the rest of their memory first. */
const grace = 60_000
/** Milliseconds until a killed process must have ended. */
const afterKill = 10_000

/**
 * Ends all processes of an ended or killed command that still write images to a directory. The runtime is killed at
 * once. CRIU then notices that its report fails, and resumes the processes of the container: killing it could end a
 * process into which it has injected code. Once the container's first process has ended, CRIU is killed, since it may
 * wait for that process for ever.
 *
 * @param pid the container's first process
 * @throws deadline_exceeded if one of them does not end after being killed
 */
export async function endDump(images: string, pid: number): Promise<void> {
  const paths = [...new Set([images, await realpath(images).catch(() => images)])]
  const end = performance.now() + grace
  for (let pause = 10; ; pause = Math.min(2 * pause, 160)) {
    const found = await dumpProcesses(paths)
    if (found.length === 0) return
    if (performance.now() > end + afterKill)
      throw new NsboxError(
        'deadline_exceeded',
        `process ${found[0]!.pid}, which makes a checkpoint, does not end`,
      )
    const ends = hasEnded(pid) || performance.now() > end
    for (const process of found) if (!process.isCriu || ends) kill(process.pid, paths)
    await delay(pause)
  }
}

interface DumpProcess {
  readonly pid: number
  readonly isCriu: boolean
}

async function dumpProcesses(paths: readonly string[]): Promise<DumpProcess[]> {
  const found: DumpProcess[] = []
  for await (const helper of helperProcesses()) {
    const dumping = dumpProcess(helper, paths)
    if (dumping !== undefined) found.push(dumping)
  }
  return found
}

/** The runtime is recognised by its command line, CRIU by its open files. */
function dumpProcess({ pid, name }: HelperProcess, paths: readonly string[]): DumpProcess | undefined {
  const line = commandLine(pid)
  // `--image-path` alone is not enough: clients have an option of the same name.
  const isRuntime = line.includes('\0--log-format\0json\0')
  if (isRuntime && paths.some((path) => line.includes(`\0--image-path\0${path}\0`)))
    return { pid, isCriu: false }
  return name === 'criu' && hasOpen(pid, paths) ? { pid, isCriu: true } : undefined
}

function kill(pid: number, paths: readonly string[]): void {
  const descriptor = pidfdOf(pid)
  if (descriptor === undefined) return
  try {
    // The pid may have been reused since.
    const helper = helperProcess(pid)
    if (helper !== undefined && dumpProcess(helper, paths) !== undefined) signalPidfd(descriptor, SIGKILL)
  } finally {
    closeSync(descriptor)
  }
}
