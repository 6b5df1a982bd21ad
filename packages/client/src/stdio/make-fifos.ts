import { execFile } from 'node:child_process'
import { mkdtemp } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import type { AbortOptions } from '@nsbox/core/content'
import { fromSystemError } from '@nsbox/errors'
import { makeDirectories } from '@nsbox/errors/make-directories'
import { defaultAddress } from '../connection/address.ts'
import type { FifoPaths } from './fifo-paths.ts'
import { removeFifos, removeForgottenFifos } from './remove-fifos.ts'

/** Which FIFOs to make, and where. */
export interface FifoOptions extends AbortOptions {
  /** A directory for directories of FIFOs, made with mode 0700 if it is missing. */
  readonly root: string
  readonly stdin: boolean
  readonly stdout: boolean
  readonly stderr: boolean
}

/** Milliseconds that making FIFOs may take. */
const timeout = 10_000

/** Where FIFOs are made by default: `fifo` beside the default socket of nsbox-server. */
export function defaultFifoDirectory(): string {
  return join(dirname(defaultAddress()), 'fifo')
}

/**
 * Makes FIFOs for a process in a new directory, which is named after the id of this process. FIFOs left by dead
 * processes are removed, unless they are in use.
 *
 * Node cannot make FIFOs, and this package has no native code, so one run of `mkfifo` does it.
 */
export async function makeFifos({ root, stdin, stdout, stderr, signal }: FifoOptions): Promise<FifoPaths> {
  signal?.throwIfAborted()
  try {
    makeDirectories(root, 0o700)
    await removeForgottenFifos(root)
    const directory = await mkdtemp(join(root, `${process.pid}-`))
    const path = (wanted: boolean, name: string) => (wanted ? join(directory, name) : '')
    const paths = {
      stdin: path(stdin, 'stdin'),
      stdout: path(stdout, 'stdout'),
      stderr: path(stderr, 'stderr'),
    }
    try {
      const made = Object.values(paths).filter((name) => name !== '')
      await promisify(execFile)('mkfifo', ['-m', '0600', ...made], { timeout, signal })
    } catch (error) {
      await removeFifos([join(directory, 'stdin'), join(directory, 'stdout'), join(directory, 'stderr')])
      throw error
    }
    return paths
  } catch (error) {
    throw fromSystemError(error, `making FIFOs in ${root}`)
  }
}
