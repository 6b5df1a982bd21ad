import { access, constants } from 'node:fs/promises'
import { join } from 'node:path'
import { NsboxError } from '@nsbox/errors'

/** Looks for the program with which runtimes make and restore checkpoints. @throws `unimplemented` if there is none */
export async function requireCriu(): Promise<void> {
  for (const directory of (process.env.PATH ?? '').split(':')) {
    try {
      await access(join(directory, 'criu'), constants.X_OK)
      return
    } catch {
      // Perhaps in the next one.
    }
  }
  throw new NsboxError('unimplemented', 'checkpoints need the program "criu", which is not in $PATH')
}
