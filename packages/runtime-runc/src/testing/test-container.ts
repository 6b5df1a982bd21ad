import { randomBytes } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isErrno, isNotFound } from '@nsbox/errors'
import { run, tempDir } from '@nsbox/testing'
import { Runc } from '../runc/runc.ts'
import type { RuncOptions } from '../runc/runc-options.ts'
import { type BundleSpec, busyboxBundle } from './busybox-bundle.ts'
import { waitUntil } from './wait-until.ts'

/** A container made with the real runc, or another; deleted, in any state, when it is disposed of. */
export interface TestContainer extends AsyncDisposable {
  readonly id: string
  readonly runc: Runc
  /** Its first process. */
  readonly pid: number
  /** A directory of its own. */
  readonly directory: string
  /** Runs a launch's arguments and fails as a supervisor would. */
  launch(args: readonly string[]): Promise<void>
}

/** Makes a container, which has not been started. */
export async function testContainer(spec: BundleSpec, options: RuncOptions = {}): Promise<TestContainer> {
  const scratch = await tempDir('nsbox-runc')
  const id = `t${randomBytes(6).toString('hex')}`
  const directory = scratch.path
  const runc = new Runc({ root: join(directory, 'root'), ...options })
  const bundle = join(directory, 'bundle')
  let pid: number | undefined
  const dispose = async () => {
    const real = new Runc({ root: join(directory, 'root') })
    // With `force` alone, runc checks only every 100 ms whether the process has ended.
    if (pid !== undefined && (await killed(real, id))) await waitUntil(hasEnded(pid))
    await real.delete(id, { force: true })
    await scratch[Symbol.asyncDispose]()
  }
  try {
    await mkdir(bundle)
    await busyboxBundle(bundle, { cgroupsPath: `/nsbox-${id}`, ...spec })
    const pidFile = join(directory, 'pid')
    await launch(runc.createArguments(id, { bundle, pidFile, log: join(directory, 'log') }))
    pid = Number(await readFile(pidFile, 'utf8'))
    return { id, runc, pid, directory, launch, [Symbol.asyncDispose]: dispose }
  } catch (error) {
    await dispose()
    throw error
  }
}

/** Whether a process has ended, whether its parent has noticed or not. */
export const hasEnded = (pid: number) => async (): Promise<boolean> => {
  try {
    return /^State:\s+[ZX]/m.test(await readFile(`/proc/${pid}/status`, 'utf8'))
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ESRCH')) return true
    throw error
  }
}

/** By runc, which knows whether the pid is still the container's. */
async function killed(runc: Runc, id: string): Promise<boolean> {
  try {
    await runc.kill(id, 9)
    return true
  } catch (error) {
    if (isNotFound(error)) return false
    throw error
  }
}

/** The container's process would hold pipes open, so it gets files. */
async function launch([program, ...args]: readonly string[]): Promise<void> {
  const quoted = ['sh', '-c', 'exec "$@" < /dev/null > /dev/null 2>&1', 'sh', program!, ...args]
  const { code } = await run(quoted[0]!, quoted.slice(1))
  if (code !== 0) throw Object.assign(new Error(`${program} ended with ${code}`), { exitCode: code })
}
