import { errorCode } from '@nsbox/errors'
import * as v from 'valibot'
import { expect, test } from 'vitest'
import { parseDescriptor } from './descriptor.ts'
import { digestOf } from './digest.ts'
import { fields, openFields, text, textMap } from './field-schema.ts'
import { parseManifest } from './manifest.ts'
import { mediaTypes } from './media-type.ts'
import { validate } from './validate.ts'

const messageOf = (action: () => unknown): string => {
  try {
    action()
  } catch (error) {
    expect(errorCode(error)).toBe('invalid_argument')
    return (error as Error).message
  }
  return expect.unreachable('was accepted')
}

test('an error names the field by its path in the document', () => {
  const digest = digestOf('document')
  const config = { mediaType: mediaTypes.ociConfig, digest, size: 1 }
  const layers = [config, { ...config, platform: { os: 1 } }]
  const refused = (document: object) =>
    messageOf(() =>
      parseManifest(Buffer.from(JSON.stringify(document)), { mediaType: mediaTypes.ociManifest, digest }),
    )
  expect(refused({ config, layers })).toContain(`manifest ${digest}: layers[1].platform.os: not a string`)
  expect(refused({ layers })).toContain(`manifest ${digest}: config: is missing`)
  expect(refused({ config: { ...config, Size: 1 } })).toContain(
    `manifest ${digest}: config: key "Size" is not spelled "size"`,
  )
  expect(refused({ config, annotations: { 'a.b': 1 } })).toContain('annotations["a.b"]: not a string')
  expect(messageOf(() => parseDescriptor([]))).toContain('descriptor: not an object')
})

test('B02 of a document in which everything is wrong only the first thing is looked at', () => {
  let looked = 0
  const never = v.custom(() => {
    looked++
    return false
  }, 'wrong')
  const schema = openFields({ a: v.array(v.object({ b: v.array(never), c: never })), d: never })
  const value = { a: Array(100_000).fill({ b: [1, 2], c: 3 }), d: 4 }
  expect(messageOf(() => validate(schema, value, 'document'))).toContain('document: a[0].b[0]: wrong')
  expect(looked).toBe(1)
})

test('B02 what is quoted of a document is bounded, and cannot forge lines', () => {
  const long = 'x\n'.repeat(1_000_000)
  const map = { map: { [long]: 1 } }
  for (const [schema, value] of [
    [v.literal('a'), long],
    [v.picklist(['a', 'b']), long],
    [v.union([v.literal('a'), v.pipe(v.string(), v.minLength(1e9))]), long],
    [v.pipe(v.string(), v.regex(/a/)), long],
    [v.strictObject({}), { [long]: 1 }],
    [fields({ map: textMap() }), map],
    [v.record(v.string(), v.number()), { [long]: 'x' }],
  ] as const) {
    const message = messageOf(() => validate(schema, value, 'document'))
    expect(message.length).toBeLessThan(1000)
    expect(message).not.toContain('\n')
  }
})

test('B05 names that objects have by themselves are names like any other', () => {
  const given = JSON.parse('{"a":"x","__proto__":{"b":"y"},"constructor":1,"map":{"__proto__":"z"}}')
  const entries = { a: text, b: v.optional(text), map: textMap() }
  expect(validate(fields(entries), given, 'document')).toEqual({ a: 'x', map: given.map })
  const open = validate(openFields(entries), given, 'document')
  expect(JSON.stringify(open)).toBe(JSON.stringify(given))
  expect(open.b).toBeUndefined()
})
