import { chmod, lstat } from 'node:fs/promises'
import { isAbsolute } from 'node:path'
import { NsboxError } from '@nsbox/errors'
import { makeDirectories } from '@nsbox/errors/make-directories'
import { SupervisorPool } from './client/supervisor-pool.ts'
import { supervisorProgram } from './client/supervisor-program.ts'
import type { Supervisor, SupervisorOptions } from './supervisor.ts'

/** A socket's path has at most 107 bytes, of which those below the directory take up to 30. */
const longestDirectory = 77

/**
 * Opens the supervisor of a directory. Finds processes of an earlier client, with their output and exits. A supervisor
 * is started only when needed.
 *
 * @throws `invalid_argument` for an invalid directory; `permission_denied` for another user's;
 * `failed_precondition` if a newer program has left records there, or a supervisor that knows no protocol of this one
 */
export async function openSupervisor({
  directory,
  onWarning,
  build,
  answerTimeout = 10_000,
}: SupervisorOptions): Promise<Supervisor> {
  if (!isAbsolute(directory) || Buffer.byteLength(directory) > longestDirectory)
    throw new NsboxError(
      'invalid_argument',
      `directory ${directory}: an absolute path of at most ${longestDirectory} bytes`,
    )
  makeDirectories(directory, 0o700)
  const stats = await lstat(directory)
  if (!stats.isDirectory() || stats.uid !== process.geteuid?.())
    throw new NsboxError('permission_denied', `directory ${directory} is somebody else’s`)
  await chmod(directory, 0o700)
  const program = supervisorProgram()
  const supervisors = new SupervisorPool({
    directory,
    program: build === undefined ? program : { ...program, build },
    onWarning: onWarning ?? (() => undefined),
    answerTimeout,
  })
  try {
    await supervisors.find()
    return supervisors
  } catch (error) {
    await supervisors[Symbol.asyncDispose]()
    throw error
  }
}
