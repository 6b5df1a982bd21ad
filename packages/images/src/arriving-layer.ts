import { type FileHandle, open } from 'node:fs/promises'
import { type AbortOptions, type ContentStore, hasLocalPaths } from '@nsbox/core/content'
import type { ArrivingLayer } from '@nsbox/core/diff'
import { isErrno, isNotFound } from '@nsbox/errors'
import type { Arrival } from './arrival.ts'

/** A layer that can be read while it arrives. Disposing of it closes its file. */
export interface OpenedLayer extends AsyncDisposable {
  readonly arriving: ArrivingLayer
  /** Whether all its bytes come from the remote now, and none from an earlier attempt. */
  readonly fresh: boolean
}

/**
 * Waits until a layer's bytes can be read from a local file, or all of them are in the store.
 *
 * @returns undefined if they are in the store, or the store has no local files
 */
export async function openArriving(
  arrival: Arrival,
  content: Partial<ContentStore>,
  { signal }: AbortOptions = {},
): Promise<OpenedLayer | undefined> {
  for (;;) {
    const { state } = arrival
    if (state.kind === 'there') return undefined
    if (state.kind === 'arriving') {
      const file = hasLocalPaths(content)
        ? await openIngest(() => content.ingestPath(state.ref, { signal }))
        : undefined
      // In another state by now, the ref may name another file.
      if (file !== undefined && arrival.state === state) {
        return {
          // By its descriptor, which all threads of the process share: the commit gives the file another name.
          arriving: { path: `/proc/self/fd/${file.fd}`, growing: state.growing.handle() },
          fresh: state.from === 0,
          [Symbol.asyncDispose]: () => file.close(),
        }
      }
      await file?.close()
    }
    await arrival.changed(state, { signal })
  }
}

/** Nothing if the ingest is not there any more. */
async function openIngest(path: () => Promise<string>): Promise<FileHandle | undefined> {
  try {
    return await open(await path(), 'r')
  } catch (error) {
    if (isNotFound(error) || isErrno(error, 'ENOENT')) return undefined
    throw error
  }
}
