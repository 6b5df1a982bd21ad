import type { Envelope } from '@nsbox/api/gen/types/event_pb'
import { type Signal, signal } from '@preact/signals'
import { events } from './calls.ts'

/** What the server tells of this page's session. */
export interface Session {
  /** Whether actions are allowed. */
  readonly write: boolean
  readonly version: string
  readonly revision: string
}

/**
 * - `connecting`: for the first time
 * - `live`: events come
 * - `away`: tried again at `retryAt`
 * - `signed out`: the session has ended, with its server or its time; it goes on once this browser has opened a new
 *   link of `ctr web`
 */
export type LinkState =
  | { readonly kind: 'connecting' | 'live' | 'signed out' }
  | { readonly kind: 'away'; readonly retryAt: number }

export const linkState: Signal<LinkState> = signal({ kind: 'connecting' })
export const session: Signal<Session | undefined> = signal(undefined)

/** Counts the times that the server was reached: everything is asked for anew with each. */
export const epoch: Signal<number> = signal(0)

const listeners = new Set<(event: Envelope) => void>()

/** Calls back for each event, from now on. @returns what ends that */
export function onEvent(listener: (event: Envelope) => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

const firstPause = 500
const longestPause = 10_000

/** Milliseconds after which a server that has accepted a call and says nothing counts as away. */
const patience = 10_000

let retryNow: (() => void) | undefined

/** Ends the pause before the next try. */
export function retry(): void {
  retryNow?.()
}

/** Follows the server's events for as long as the page is open, and finds the server again when it was away. */
export async function keepLink(): Promise<void> {
  for (let pause = firstPause; ; pause = Math.min(2 * pause, longestPause)) {
    const isSignedOut = await follow(() => {
      pause = firstPause
    })
    linkState.value = isSignedOut ? { kind: 'signed out' } : { kind: 'away', retryAt: Date.now() + pause }
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, pause)
      retryNow = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    retryNow = undefined
  }
}

/** @returns whether the session has ended, once the events have */
async function follow(onReached: () => void): Promise<boolean> {
  try {
    const response = await fetch('/session', { signal: AbortSignal.timeout(patience), cache: 'no-store' })
    if (response.status === 401) return true
    if (!response.ok) return false
    const { write, version, revision } = await response.json()
    session.value = { write: write === true, version: String(version), revision: String(revision) }
    const stream = events.subscribe({})
    const reader = stream[Symbol.asyncIterator]()
    // The first event is waited for while all else is loaded.
    let next = reader.next()
    linkState.value = { kind: 'live' }
    epoch.value++
    onReached()
    for (let result = await next; !result.done; result = await next) {
      next = reader.next()
      for (const listener of listeners) listener(result.value)
    }
  } catch {
    // However the stream ended, what is to be done is the same; why it cannot be opened again shows in the next try.
  }
  return false
}
