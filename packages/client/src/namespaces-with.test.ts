import { NsboxError } from '@nsbox/errors'
import { expect, test } from 'vitest'
import type { ClientView } from './client.ts'
import { namespacesWith } from './namespaces-with.ts'

const details = { askedKind: 'container', askedId: 'c', askedSnapshotter: '' }
const missing = new NsboxError('not_found', 'container c', { details })

/** A client of a server with so many namespaces, and how often it was asked. */
function clientOf(count: number, get: (namespace: string) => Promise<unknown>) {
  const asked: string[] = []
  const view = (namespace: string) => ({
    namespace,
    containers: {
      get: (id: string) => {
        asked.push(`${namespace}/${id}`)
        return get(namespace)
      },
    },
    namespaces: { list: async () => Array.from({ length: count }, (_, n) => ({ name: `n${n}` })) },
    withNamespace: view,
  })
  return { client: view('n0') as unknown as ClientView, asked }
}

test('no more than 64 namespaces are asked for what was not found', async () => {
  const { client, asked } = clientOf(1000, async (namespace) => {
    if (namespace !== 'n5') throw missing
  })
  expect(await namespacesWith(client, missing)).toEqual(['n5'])
  expect(asked).toHaveLength(64)
  expect(await namespacesWith(client, new NsboxError('not_found', 'something'))).toEqual([])
  expect(asked).toHaveLength(64)
})

test('what the namespace itself has was not what the call missed', async () => {
  const { client, asked } = clientOf(3, async () => undefined)
  expect(await namespacesWith(client, missing)).toEqual([])
  expect(asked).toEqual(['n0/c'])
})

test('what cannot be asked is not told, and the caller may stop it', async () => {
  const stop = new AbortController()
  const { client } = clientOf(3, async (namespace) => {
    if (namespace === 'n2') stop.abort()
    stop.signal.throwIfAborted()
    throw new NsboxError('permission_denied', namespace)
  })
  await expect(namespacesWith(client, missing, stop)).rejects.toMatchObject({ name: 'AbortError' })
})
