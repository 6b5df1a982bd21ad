import { smallOrThread } from './small-or-thread.ts'
import type { TreeUsage } from './walk/measure-tree.ts'

/**
 * `measureTree` of a directory by an absolute path. It does not block the event loop, and others may write to the tree.
 */
export async function treeUsage(
  path: string,
  options: { signal?: AbortSignal | undefined } = {},
): Promise<TreeUsage> {
  return await smallOrThread('measure', path, options.signal)
}
