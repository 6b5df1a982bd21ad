import { open } from 'node:fs/promises'
import type { Semaphore } from '@nsbox/concurrency'
import { type AbortOptions, type ContentStore, hasLocalPaths } from '@nsbox/core/content'
import type { ArrivingLayer } from '@nsbox/core/diff'
import { isErrno, isNotFound, undefinedIf } from '@nsbox/errors'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import type { Arrival } from '../flights/arrival.ts'

/** Milliseconds between checks that a followed layer still comes fast enough. */
const lookInterval = 250

/** A layer that can be read while it arrives. Disposing of it closes its file. */
export interface OpenedLayer extends AsyncDisposable {
  readonly arriving: ArrivingLayer
  /** Whether all its bytes come from this download, and none from an earlier attempt. */
  readonly fresh: boolean
}

/**
 * Waits until a layer's bytes can be read from a local file, or all of them are in the store. A reader of an arriving
 * layer occupies a thread that others need: if the layer comes slowly, its reader gets an error as if the download had
 * failed, and has to wait for the store.
 *
 * @param followers bounds how many layers are read while they arrive
 * @returns undefined if they are in the store, which is the result as well if this one cannot be followed
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
      // In another state by now, the ref may belong to another file.
      if (file !== undefined && arrival.state === state) {
        const watch = setInterval(() => arrival.dropIfSlow(), lookInterval).unref()
        opening.defer(() => clearInterval(watch))
        const held = opening.move()
        return {
          // By its descriptor, which all threads of the process share: the commit renames the file.
          arriving: { path: `/proc/self/fd/${file.fd}`, growing: state.growing.handle() },
          fresh: state.from === 0,
          [Symbol.asyncDispose]: () => held.disposeAsync(),
        }
      }
    }
    await arrival.changed(state, { signal })
  }
}
