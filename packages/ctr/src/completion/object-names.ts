import { stat } from 'node:fs/promises'
import { addressFromEnvironment, connect } from '@nsbox/client'
import { namespaceFromEnvironment } from '@nsbox/namespaces'

/** Kinds of objects whose names complete a word. */
export type NamedKind = 'container' | 'image' | 'namespace' | 'lease'

/** Milliseconds that whoever types waits for a server. */
const patience = 1_000

/** Names that are asked for. */
const mostNames = 1_000

/**
 * The names of objects of the server that is meant. None is started for it: without one there are no names, and none
 * either of a server that does not answer within a second, or over TCP, where it would have to be told who asks.
 *
 * @param values the typed values of the options `address` and `namespace`
 */
export async function objectNames(
  kind: NamedKind,
  { address = addressFromEnvironment(), namespace = namespaceFromEnvironment() }: Record<string, string>,
): Promise<string[]> {
  const found: string[] = []
  try {
    if (!(await stat(address.replace(/^unix:(\/\/)?/, ''))).isSocket()) return []
    await using client = connect({ address, namespace, connectTimeout: patience })
    const signal = AbortSignal.timeout(patience)
    for await (const name of namesOf(client, kind, { signal })) {
      found.push(name)
      if (found.length === mostNames) break
    }
  } catch {
    // Whoever types a command gets its errors when it runs.
  }
  return found
}

async function* namesOf(
  client: ReturnType<typeof connect>,
  kind: NamedKind,
  options: { readonly signal: AbortSignal },
): AsyncGenerator<string> {
  switch (kind) {
    case 'container':
      for await (const { id } of client.containers.list([], options)) yield id
      break
    case 'image':
      for (const { name } of await client.images.list([], options)) yield name
      break
    case 'lease':
      for (const { id } of await client.leases.list([], options)) yield id
      break
    case 'namespace':
      for (const { name } of await client.namespaces.list(options)) yield name
  }
}
