import {
  create,
  type DescField,
  type DescMessage,
  type Message,
  type MessageInitShape,
} from '@bufbuild/protobuf'

/** A request with one of its texts changed. */
export interface ChangedRequest {
  /** Which text, such as `container.labels{}` or `mounts[].source`. */
  readonly field: string
  readonly request: Message
}

/** How deep texts are looked for; no request has a meaningful text below. */
const depth = 4

/**
 * A request once for each text that it can hold, at any depth, with that text set to a given value: in place of the
 * existing one, or as a further entry of a list or map. By the API's own descriptors, so that no field is forgotten.
 */
export function* everyString<S extends DescMessage>(
  schema: S,
  base: MessageInitShape<S>,
  text: string,
): Generator<ChangedRequest> {
  for (const place of placesIn(schema, depth)) {
    const request = create(schema, base)
    place.put(request as unknown as Fields, text)
    yield { field: place.name, request }
  }
}

type Fields = Record<string, unknown>

interface Place {
  readonly name: string
  readonly put: (message: Fields, text: string) => void
}

function* placesIn(schema: DescMessage, left: number): Generator<Place> {
  if (left === 0) return
  for (const field of schema.fields) yield* placesOf(field, left)
}

function* placesOf(field: DescField, left: number): Generator<Place> {
  const { localName: key } = field
  if (field.fieldKind === 'scalar' && isText(field.scalar)) {
    yield { name: key, put: (message, text) => void setIn(message, field, text) }
  } else if (field.fieldKind === 'list' && field.listKind === 'scalar' && isText(field.scalar)) {
    yield { name: `${key}[]`, put: (message, text) => void (message[key] as string[]).push(text) }
  } else if (field.fieldKind === 'map' && field.mapKind === 'scalar' && isText(field.scalar)) {
    yield { name: `${key}{}`, put: (message, text) => setEntry(message[key], 'nsbox.test', text) }
    yield { name: `${key}{key}`, put: (message, text) => setEntry(message[key], text, 'x') }
  } else if (field.fieldKind === 'message' || (field.fieldKind === 'list' && field.listKind === 'message')) {
    const { message: inner } = field
    if (inner === undefined) return
    const isList = field.fieldKind === 'list'
    for (const place of placesIn(inner, left - 1)) {
      yield {
        name: `${key}${isList ? '[]' : ''}.${place.name}`,
        put(message, text) {
          place.put(isList ? entryOf(message, key, inner) : partOf(message, field, inner), text)
        },
      }
    }
  }
}

/** `ScalarType.STRING` of protobuf. */
const isText = (scalar: number) => scalar === 9

function setIn(message: Fields, { oneof, localName }: DescField, value: unknown): void {
  if (oneof === undefined) message[localName] = value
  else message[oneof.localName] = { case: localName, value }
}

function setEntry(map: unknown, key: string, value: string): void {
  ;(map as Fields)[key] = value
}

/** The first entry of a list, made if there is none. */
function entryOf(message: Fields, key: string, schema: DescMessage): Fields {
  const list = message[key] as unknown[]
  if (list.length === 0) list.push(create(schema))
  return list[0] as Fields
}

function partOf(message: Fields, field: DescField, schema: DescMessage): Fields {
  const found = message[field.localName]
  if (found !== undefined) return found as Fields
  const made = create(schema) as unknown as Fields
  setIn(message, field, made)
  return made
}
