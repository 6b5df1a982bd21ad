import { constants } from 'node:os'
import { basename, dirname } from 'node:path'
import { closeDescriptor } from '@nsbox/sys/files'
import { openRoot } from './disk-calls.ts'
import { failure } from './file-result.ts'
import { removeEntry } from './remove-entry.ts'
import type { Walk } from './walk.ts'

const { ENOENT, ENOTDIR } = constants.errno

/** `removeEntry` by a path whose directories nobody else can change. Does nothing if it does not exist. */
export function* removeAt(path: string): Walk<void> {
  const parent = yield openRoot(dirname(path))
  if (parent === -ENOENT || parent === -ENOTDIR) return
  if (parent < 0) throw failure(parent, `removing ${JSON.stringify(path)}`)
  try {
    yield* removeEntry(parent, Buffer.from(basename(path)).toString('latin1'), path)
  } finally {
    closeDescriptor(parent)
  }
}
