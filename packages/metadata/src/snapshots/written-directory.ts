import { realpath } from 'node:fs/promises'
import type { DiffMount } from '@nsbox/core/diff'
import { fromSystemError, isFailedPrecondition, isInvalidArgument, isUnimplemented } from '@nsbox/errors'
import { writtenTree } from '@nsbox/mount'

/**
 * The directory of a snapshot's files, without symbolic links; undefined if its snapshotter's mounts do not show it, so
 * that its writers are unknown.
 */
export async function writtenDirectory(mounts: readonly DiffMount[]): Promise<string | undefined> {
  try {
    return await realpath(writtenTree(mounts).directory)
  } catch (error) {
    if (isUnimplemented(error) || isInvalidArgument(error) || isFailedPrecondition(error)) return undefined
    throw fromSystemError(error, 'directory of a snapshot')
  }
}
