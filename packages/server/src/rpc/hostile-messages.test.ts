import { toBinary } from '@bufbuild/protobuf'
import { Content, UpdateRequestSchema } from '@nsbox/api/gen/services/content/v1/content_pb'
import { Version } from '@nsbox/api/gen/services/version/v1/version_pb'
import { describe, expect, test } from 'vitest'
import { frame, rawCall } from '../testing/grpc-call.ts'
import { head, mebibytes, pathOf, status, useHostileServer } from '../testing/hostile-server.ts'

const update = pathOf(Content, 'Update')
const write = pathOf(Content, 'Write')
const times = (count: number, ...bytes: number[]) => Buffer.alloc(count * bytes.length, Buffer.of(...bytes))

const { served, received, connect } = useHostileServer()

describe('E05 one message', () => {
  test('of a method with small requests is refused by its length alone, from 64 KiB on', async () => {
    const { open } = connect()
    const stream = open(pathOf(Version, 'Version'))
    stream.write(head((64 << 10) + 1))
    expect(await status(stream)).toBe('8')
  })

  test.each([
    ['unknown fields', times(mebibytes(8), 0x78, 0x01)],
    ['unknown groups', times(mebibytes(8), 0x7b, 0x7c)],
    ['an empty text', times(mebibytes(8), 0x12, 0x00)],
  ])('of 16 MiB with nothing but %s is refused before it is decoded', async (_, bytes) => {
    for (const to of [update, write]) {
      const { trailers } = await rawCall(
        served().address,
        { ':path': to },
        { body: frame(bytes.subarray(0, mebibytes(16) - 2)) },
      )
      expect(trailers['grpc-status']).toBe('8')
      expect(decodeURIComponent(trailers['grpc-message']!)).toMatch(/65536 fields/)
    }
    expect(received()).toEqual([])
    await expect.poll(() => served().budgets.requests.total + served().budgets.decoded.total).toBe(0)
  })

  test.each([
    ['gRPC', 'application/grpc', update, true],
    ['gRPC in a stream', 'application/grpc', write, true],
    ['gRPC-Web', 'application/grpc-web+proto', update, true],
    ['Connect', 'application/proto', update, false],
    ['a stream of Connect', 'application/connect+proto', write, true],
  ])('has its unknown fields left out: %s', async (_, type, to, isFramed) => {
    const bytes = times(10, 0x78, 0x01)
    await rawCall(
      served().address,
      { ':path': to, 'content-type': type },
      { body: isFramed ? frame(bytes) : bytes },
    )
    expect(received()).toHaveLength(1)
    expect(received()[0]).not.toHaveProperty('$unknown')
  })

  test.each([
    ['gRPC-Web', 'application/grpc-web+proto', update, true, times(65_537, 0x78, 1)],
    ['Connect', 'application/proto', update, false, times(65_537, 0x78, 1)],
    ['a stream of Connect', 'application/connect+proto', write, true, times(65_537, 0x78, 1)],
    [
      'JSON with many values',
      'application/json',
      update,
      false,
      Buffer.from(`{"x":[${'1,'.repeat(65_537)}1]}`),
    ],
    ['JSON with many levels', 'application/json', update, false, Buffer.from(`{"x":${'['.repeat(10_000)}`)],
    ['JSON of more than 1 MiB', 'application/json', update, false, Buffer.alloc(mebibytes(1) + 1, ' ')],
    ['JSON in a stream', 'application/connect+json', write, true, Buffer.alloc(mebibytes(1) + 1, ' ')],
    ['JSON over gRPC', 'application/grpc+json', update, true, Buffer.alloc(mebibytes(1) + 1, ' ')],
  ])('is held to the same over %s', async (_, type, to, isFramed, bytes) => {
    const { body, trailers } = await rawCall(
      served().address,
      { ':path': to, 'content-type': type },
      { body: isFramed ? frame(bytes) : bytes },
    )
    expect(trailers['grpc-status'] ?? String(body)).toMatch(/^8$|resource_exhausted|grpc-status: 8/)
    expect(received()).toEqual([])
  })

  test('as large as is allowed, with as many fields, is read', async () => {
    const labels = Object.fromEntries(
      Array.from({ length: 16_384 }, (_, i) => [`label-${i}`, 'x'.repeat(900)]),
    )
    const bytes = toBinary(UpdateRequestSchema, {
      $typeName: 'containerd.services.content.v1.UpdateRequest',
      info: { $typeName: 'containerd.services.content.v1.Info', digest: '', size: 0n, labels },
    })
    expect(bytes.length).toBeGreaterThan(mebibytes(14))
    const { trailers } = await rawCall(served().address, { ':path': update }, { body: frame(bytes) })
    expect(trailers['grpc-status']).toBe('0')
  })
})
