import type { AbortOptions } from '@nsbox/concurrency'
import { smallOrThread } from './small-or-thread.ts'
import type { TreeUsage } from './walk/measure-tree.ts'

/** `measureTree` of an absolute path. It does not block the event loop, and others may write to the tree. */
export async function treeUsage(path: string, { signal }: AbortOptions = {}): Promise<TreeUsage> {
  return await smallOrThread('measure', path, signal)
}
