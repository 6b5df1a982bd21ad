import fc from 'fast-check'

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/** Values that readers of JSON may misread. */
const oddValue: fc.Arbitrary<Json> = fc.oneof(
  fc.constantFrom<Json>(
    null,
    true,
    false,
    '',
    '0',
    '\0',
    '..',
    '/',
    '\u{1f600}',
    '\ud800',
    0,
    -0,
    -1,
    1.5,
    255,
    256,
    65_536,
    2 ** 31,
    2 ** 32,
    2 ** 53,
    1e300,
    -1e300,
    [],
    {},
    [[]],
    [null],
    ['__proto__'],
  ),
  fc.string({ maxLength: 16 }),
  fc.constant('x'.repeat(5000)),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
)

const oddKey = fc.oneof(
  fc.constantFrom('__proto__', 'constructor', 'toString', '', 'length', '0'),
  fc.string({ maxLength: 8 }),
)

type Change = (document: Json) => Json

/** Changes the value at the `index`th place of a document, in the order of its text. */
function changedAt(document: Json, index: number, change: (value: Json) => Json | undefined): Json {
  let left = index % count(document)
  const visit = (value: Json): Json | undefined => {
    if (left-- === 0) return change(value)
    if (Array.isArray(value)) return value.map(visit).filter((item) => item !== undefined)
    if (typeof value !== 'object' || value === null) return value
    return withEntries(
      Object.entries(value).flatMap(([key, item]) => {
        const changed = visit(item)
        return changed === undefined ? [] : [[key, changed] as const]
      }),
    )
  }
  return visit(document) ?? null
}

function count(value: Json): number {
  if (typeof value !== 'object' || value === null) return 1
  return Object.values(value).reduce<number>((sum, item) => sum + count(item as Json), 1)
}

/** No prototype, so that keys such as `__proto__` are keys like any other. */
function withEntries(entries: readonly (readonly [string, Json])[]): { [key: string]: Json } {
  return Object.fromEntries(entries)
}

function changeOf(seeds: readonly Json[]): fc.Arbitrary<Change> {
  const place = fc.nat(0xffff)
  return fc.oneof(
    fc.tuple(place, oddValue).map(
      ([at, value]): Change =>
        (json) =>
          changedAt(json, at, () => value),
    ),
    place.map(
      (at): Change =>
        (json) =>
          changedAt(json, at, () => undefined),
    ),
    fc.tuple(place, oddKey, oddValue).map(
      ([at, key, added]): Change =>
        (json) =>
          changedAt(json, at, (value) => {
            if (Array.isArray(value)) return [...value, added]
            if (typeof value !== 'object' || value === null) return added
            return withEntries([...Object.entries(value), [key, added]])
          }),
    ),
    // Repeats an item of a list, or adds a copy.
    fc.tuple(place, fc.integer({ min: 0, max: 40 })).map(
      ([at, times]): Change =>
        (json) =>
          changedAt(json, at, (value) =>
            Array.isArray(value) ? Array(times).fill(value).flat(1).slice(0, 400) : Array(times).fill(value),
          ),
    ),
    // One number or text slightly changed.
    fc.tuple(place, fc.nat(100), fc.string({ maxLength: 3 })).map(
      ([at, where, text]): Change =>
        (json) =>
          changedAt(json, at, (value) => {
            if (typeof value === 'number') return value + where - 50
            if (typeof value !== 'string') return value
            const cut = value.length === 0 ? 0 : where % value.length
            return value.slice(0, cut) + text + value.slice(cut + 1)
          }),
    ),
    fc.tuple(place, fc.constantFrom(...seeds)).map(
      ([at, other]): Change =>
        (json) =>
          changedAt(json, at, () => other),
    ),
  )
}

/**
 * Nearly correct documents: one of `seeds` with values replaced, removed, repeated and added. Failures shrink to as few
 * changes as possible.
 */
export function mutatedJson(seeds: readonly unknown[], most = 4): fc.Arbitrary<unknown> {
  const documents = seeds as readonly Json[]
  return fc
    .tuple(fc.constantFrom(...documents), fc.array(changeOf(documents), { maxLength: most }))
    .map(([seed, changes]) => changes.reduce((document, change) => change(document), seed))
}
