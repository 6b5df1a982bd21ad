import { open } from 'node:fs/promises'
import type { Semaphore } from '@nsbox/concurrency'
import { type AbortOptions, type ContentStore, hasLocalPaths } from '@nsbox/core/content'
import type { ArrivingLayer } from '@nsbox/core/diff'
import { isErrno, isNotFound, undefinedIf } from '@nsbox/errors'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import type { Arrival } from '../flights/arrival.ts'

/** How often it is looked whether a layer still comes quickly enough to be followed, in milliseconds. */
const lookInterval = 250

/** A layer that can be read while it arrives. Disposing of it closes its file. */
export interface OpenedLayer extends AsyncDisposable {
  readonly arriving: ArrivingLayer
  /** Whether all its bytes come from the remote now, and none from an earlier attempt. */
  readonly fresh: boolean
}

/**
 * Waits until a layer's bytes can be read from a local file, or all of them are in the store. A reader of an arriving
 * layer keeps a thread, which others need: if the layer comes slowly, its reader is told that the download has failed,
 * and has to wait for the store.
 *
 * @param followers bounds how many layers are read while they arrive
 * @returns undefined if they are in the store, as they are in the end if this one cannot be followed
 */
export async function openArriving(
  arrival: Arrival,
  content: Partial<ContentStore>,
  followers: Semaphore,
  { signal }: AbortOptions = {},
): Promise<OpenedLayer | undefined> {
  for (;;) {
    const { state } = arrival
    if (state.kind === 'there') return undefined
    if (state.kind === 'arriving') {
      const turn = hasLocalPaths(content) ? followers.tryAcquire() : undefined
      if (turn === undefined || !hasLocalPaths(content)) {
        await arrival.there({ signal })
        return undefined
      }
      await using opening = new AsyncDisposableStack()
      opening.use(turn)
      const path = content.ingestPath(state.ref, { signal })
      const file = await undefinedIf(
        (error) => isNotFound(error) || isErrno(error, 'ENOENT'),
        path.then((ingest) => open(ingest, 'r')),
      )
      if (file !== undefined) opening.defer(() => file.close())
      // In another state by now, the ref may name another file.
      if (file !== undefined && arrival.state === state) {
        const watch = setInterval(() => arrival.dropIfSlow(), lookInterval).unref()
        opening.defer(() => clearInterval(watch))
        const held = opening.move()
        return {
          // By its descriptor, which all threads of the process share: the commit gives the file another name.
          arriving: { path: `/proc/self/fd/${file.fd}`, growing: state.growing.handle() },
          fresh: state.from === 0,
          [Symbol.asyncDispose]: () => held.disposeAsync(),
        }
      }
    }
    await arrival.changed(state, { signal })
  }
}
