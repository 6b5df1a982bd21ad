import { isErrno, NsboxError } from '@nsbox/errors'
import { findProgram } from '@nsbox/supervisor/programs'

/**
 * Checks that the host has CRIU, with which runtimes make and restore checkpoints. @throws `unimplemented` otherwise
 */
export function requireCriu(): void {
  try {
    findProgram('criu', { searchPath: process.env.PATH, from: process.cwd() })
  } catch (cause) {
    if (!isErrno(cause, 'ENOENT') && !isErrno(cause, 'EACCES')) throw cause
    throw new NsboxError('unimplemented', 'checkpoints need the program "criu", which is not in $PATH', {
      cause,
    })
  }
}
