import type { SerializedError } from '@nsbox/errors'
import { copyTree, type TreeCopy } from './copy/copy-tree.ts'
import { measureTree, type TreeUsage } from './walk/measure-tree.ts'
import { removeAt } from './walk/remove-at.ts'
import type { Walk } from './walk/walk.ts'

/** Jobs on trees, with their results; all of it can be cloned to a thread. */
interface TreeWork {
  readonly remove: { readonly job: string; readonly result: unknown }
  readonly measure: { readonly job: string; readonly result: TreeUsage }
  readonly copy: { readonly job: TreeCopy; readonly result: unknown }
}

export type TreeJobKind = keyof TreeWork

export type JobOf<Kind extends TreeJobKind> = TreeWork[Kind]['job']
export type ResultOf<Kind extends TreeJobKind> = TreeWork[Kind]['result']

/** The walk for each kind of job. */
const walks: { readonly [Kind in TreeJobKind]: (job: JobOf<Kind>) => Walk<ResultOf<Kind>> } = {
  remove: removeAt,
  measure: (path) => measureTree(path),
  copy: copyTree,
}

export function walkOf<Kind extends TreeJobKind>(kind: Kind, job: JobOf<Kind>): Walk<ResultOf<Kind>> {
  return walks[kind](job)
}

/** Messages to the thread for trees. `end` is the last one. */
export type ToTreeThread =
  | {
      readonly say: 'run'
      readonly id: number
      readonly kind: TreeJobKind
      readonly job: JobOf<TreeJobKind>
    }
  | { readonly say: 'cancel'; readonly id: number }
  | { readonly say: 'end' }

/** Its answers, one for each job. */
export type FromTreeThread =
  | { readonly id: number; readonly result: ResultOf<TreeJobKind>; readonly error?: undefined }
  | { readonly id: number; readonly error: SerializedError }
