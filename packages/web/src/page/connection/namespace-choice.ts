import { type Signal, signal } from '@preact/signals'
import { namespaces } from './calls.ts'

/** The namespace that is shown; undefined for all. */
export const chosenNamespace: Signal<string | undefined> = signal(undefined)

/** The names of all namespaces. */
export async function namespaceNames(signal: AbortSignal): Promise<string[]> {
  const { namespaces: all } = await namespaces.list({}, { signal })
  return all.map(({ name }) => name).sort()
}

/** Asks in the chosen namespace, or in each. */
export async function inChosen<T>(
  signal: AbortSignal,
  ask: (namespace: string) => Promise<readonly T[]>,
): Promise<T[]> {
  const names = chosenNamespace.value === undefined ? await namespaceNames(signal) : [chosenNamespace.value]
  const found: T[] = []
  // One after the other: a browser has six connections to a server, and events have one of them.
  for (const name of names) found.push(...(await ask(name)))
  return found
}
