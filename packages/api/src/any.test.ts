import { create } from '@bufbuild/protobuf'
import { describe, expect, it } from 'vitest'
import { packAny, typeName, unpackAny } from './any.ts'
import { decodeMessage } from './decode-message.ts'
import { ContentCreateSchema, ContentDeleteSchema } from './gen/events/content_pb.ts'

const digest = `sha256:${'0'.repeat(64)}`

describe('packAny', () => {
  it('writes the bare message name as the type URL', () => {
    expect(packAny(ContentCreateSchema, { digest, size: 3n }).typeUrl).toBe('containerd.events.ContentCreate')
  })

  it('packs fields and a message alike', () => {
    const fields = { digest, size: 3n }
    expect(packAny(ContentCreateSchema, create(ContentCreateSchema, fields))).toEqual(
      packAny(ContentCreateSchema, fields),
    )
  })
})

describe('unpackAny', () => {
  const { value } = packAny(ContentCreateSchema, { digest, size: 3n })

  it.each(['containerd.events.ContentCreate', 'type.googleapis.com/containerd.events.ContentCreate'])(
    'reads a message under the type URL %s',
    (typeUrl) => {
      expect(unpackAny(ContentCreateSchema, { typeUrl, value })).toMatchObject({ digest, size: 3n })
    },
  )

  it.each([
    '',
    'containerd.events.ContentDelete',
    'example.com/containerd.events.ContentCreate',
    'type.googleapis.com/type.googleapis.com/containerd.events.ContentCreate',
    '__proto__',
  ])('refuses another type: %j', (typeUrl) => {
    expect(() => unpackAny(ContentCreateSchema, { typeUrl, value })).toThrow(
      expect.objectContaining({ code: 'invalid_argument' }),
    )
  })

  it('shows fields that are not known, which a request has no more', () => {
    const unknown = Uint8Array.of(0x98, 0x06, 1)
    const { $unknown } = unpackAny(ContentDeleteSchema, {
      typeUrl: ContentDeleteSchema.typeName,
      value: unknown,
    })
    expect($unknown).toMatchObject([{ no: 99 }])
    expect(decodeMessage(ContentDeleteSchema, unknown)).not.toHaveProperty('$unknown')
  })

  it('refuses bytes that are no message', () => {
    for (const bytes of [value.subarray(0, 5), Uint8Array.of(0x0a, 0xff), Uint8Array.of(0x07)]) {
      expect(() =>
        unpackAny(ContentDeleteSchema, { typeUrl: 'containerd.events.ContentDelete', value: bytes }),
      ).toThrow(expect.objectContaining({ code: 'invalid_argument' }))
    }
  })
})

describe('typeName', () => {
  it('keeps URLs of JSON payloads as a whole', () => {
    const typeUrl = 'types.containerd.io/opencontainers/runtime-spec/1/Spec'
    expect(typeName({ typeUrl })).toBe(typeUrl)
  })
})
