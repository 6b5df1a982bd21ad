import { create } from '@bufbuild/protobuf'
import { WriteContentResponseSchema } from '@nsbox/api/gen/services/content/v1/content_pb'
import { NsboxError } from '@nsbox/errors'
import { type Digest, digestOf } from '@nsbox/oci'
import { expect, test } from 'vitest'
import type { Rpc } from '../connection/rpc.ts'
import { openRemoteWriter } from './remote-content-writer.ts'

const bytes = Buffer.from('some bytes')

/** A server on which the collector comes between a commit and the question for the blob. */
function collecting(digest: Digest): { rpc: Rpc; content: { info(): Promise<never> } } {
  const at = { seconds: 1n, nanos: 0 }
  let offset = 0n
  const stream = {
    async exchange(request: { data?: Uint8Array }) {
      offset += BigInt(request.data?.byteLength ?? 0)
      return create(WriteContentResponseSchema, { offset, digest, startedAt: at, updatedAt: at })
    },
    end: () => undefined,
    receive: async () => undefined,
    [Symbol.dispose]: () => undefined,
  }
  return {
    rpc: { duplex: () => stream } as unknown as Rpc,
    content: { info: async () => Promise.reject(new NsboxError('not_found', `content ${digest}`)) },
  }
}

test('a commit succeeds though nothing held the blob, which has been collected since', async () => {
  const digest = digestOf(bytes)
  const { rpc, content } = collecting(digest)
  const writer = await openRemoteWriter(rpc, content, { ref: 'one' }, {})
  await writer.write(bytes)
  expect(await writer.commit({ labels: { a: 'b' } })).toMatchObject({
    ...{ digest, size: bytes.byteLength, labels: { a: 'b' } },
  })
})
