import type { SerializedError } from '@nsbox/errors'

/** A tree to be copied; plain data, so that a thread can be given it. */
export interface CopyJob {
  /** The directory whose tree it is. */
  readonly from: string
  /** An empty directory, which becomes like it. */
  readonly to: string
  /** A directory that does not exist, on the same file system; it is gone afterwards. */
  readonly scratch: string
}

/** What a copying thread is told. It copies one tree after another. */
export interface ToCopyThread {
  readonly id: number
  readonly job: CopyJob
  /** Of shared memory; other than 0 as soon as the tree is not wanted any more. */
  readonly canceled: Int32Array
}

/** What a copying thread says, in the order in which it was told. */
export type FromCopyThread =
  | { readonly id: number; readonly error?: undefined }
  | { readonly id: number; readonly error: SerializedError }
