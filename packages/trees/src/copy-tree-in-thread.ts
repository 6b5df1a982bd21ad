import type { AbortOptions } from '@nsbox/concurrency'
import type { TreeCopy } from './copy/copy-tree.ts'
import { treeThread } from './tree-thread.ts'

/** `copyTree` in the thread for trees. Once it has settled, even by an abort, nothing is written any more. */
export async function copyTreeInThread(copy: TreeCopy, { signal }: AbortOptions = {}): Promise<void> {
  await treeThread.run('copy', copy, signal)
}
