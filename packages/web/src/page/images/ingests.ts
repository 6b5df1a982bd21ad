import { type Signal, signal } from '@preact/signals'
import { content, within } from '../connection/calls.ts'
import { epoch, linkState, onEvent } from '../connection/link.ts'
import { namespaceNames } from '../connection/namespace-choice.ts'

/** Something that is being written to the content store. */
export interface Ingest {
  readonly namespace: string
  readonly ref: string
  /** Bytes written. */
  readonly offset: number
  /** Bytes to be written; 0 if that is not known. */
  readonly total: number
}

/** What is being written, in all namespaces. */
export const ingests: Signal<readonly Ingest[]> = signal([])

/** Milliseconds between two looks, while something is written and the page is visible. */
const interval = 700

/** Looks without anything found after which it is taken that nothing comes. */
const patience = 3

let isLooking = false
let looksLeft = 0

/** Looks for what is written until nothing is. Called when something may have begun. */
function lookForIngests(): void {
  looksLeft = patience
  if (!isLooking) void look()
}

async function look(): Promise<void> {
  isLooking = true
  for (; looksLeft > 0; looksLeft--) {
    if (document.visibilityState === 'visible' && linkState.value.kind === 'live') {
      try {
        ingests.value = await listIngests()
        if (ingests.value.length > 0) looksLeft = patience
      } catch {
        // The server is away, which the page tells of, or a namespace is gone: the next look shows what is there.
      }
    }
    await new Promise((resolve) => setTimeout(resolve, interval))
  }
  isLooking = false
}

async function listIngests(): Promise<Ingest[]> {
  const found: Ingest[] = []
  for (const namespace of await namespaceNames(AbortSignal.timeout(10_000))) {
    const { statuses } = await content.listStatuses({}, within(namespace))
    for (const { ref, offset, total } of statuses)
      found.push({ namespace, ref, offset: Number(offset), total: Number(total) })
  }
  return found
}

/** Looks when a pull may be under way: its first blob, the manifest, is here soon, and comes as an event. */
export function watchIngests(): () => void {
  const end = onEvent(({ topic }) => {
    if (topic === '/content/create') lookForIngests()
  })
  const endEpoch = epoch.subscribe((count) => {
    if (count > 0) lookForIngests()
  })
  return () => {
    end()
    endEpoch()
  }
}
