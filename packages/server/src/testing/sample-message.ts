import { create, type DescField, type DescMessage, ScalarType, toBinary } from '@bufbuild/protobuf'
import { AnySchema } from '@bufbuild/protobuf/wkt'

/** Valid values, by the names of fields. */
export type Samples = Readonly<Record<string, string>>

/**
 * The bytes of a message of any type in which every field has a value: texts by their names, or else `other`, small
 * numbers, one entry in each list and map.
 */
export function sampleMessage(schema: DescMessage, samples: Samples, other = 'x'): Uint8Array {
  return toBinary(schema, create(schema, fieldsOf(schema, samples, other, 4) as never))
}

function fieldsOf(schema: DescMessage, samples: Samples, other: string, depth: number): object {
  if (schema.typeName === AnySchema.typeName)
    return { typeUrl: 'containerd.runc.v1.Options', value: Buffer.from('0a0178', 'hex') }
  const fields: Record<string, unknown> = {}
  const chosen = new Set<string>()
  for (const field of schema.fields) {
    // Of alternatives the first is taken.
    if (field.oneof !== undefined) {
      if (chosen.has(field.oneof.name)) continue
      chosen.add(field.oneof.name)
      fields[field.oneof.localName] = { case: field.localName, value: sampleOf(field, samples, other, depth) }
    } else fields[field.localName] = sampleOf(field, samples, other, depth)
  }
  return fields
}

function sampleOf(field: DescField, samples: Samples, other: string, depth: number): unknown {
  const text = samples[field.name] ?? other
  switch (field.fieldKind) {
    case 'scalar':
      return scalar(field.scalar, text)
    case 'enum':
      return field.enum.values.at(-1)!.number
    case 'message':
      return depth === 0 ? undefined : fieldsOf(field.message, samples, other, depth - 1)
    case 'list':
      if (field.listKind === 'message')
        return depth === 0 ? [] : [fieldsOf(field.message, samples, other, depth - 1)]
      return [field.listKind === 'enum' ? field.enum.values.at(-1)!.number : scalar(field.scalar, text)]
    case 'map':
      return { [text]: field.mapKind === 'scalar' ? scalar(field.scalar, text) : undefined }
  }
}

function scalar(type: ScalarType, text: string): unknown {
  switch (type) {
    case ScalarType.STRING:
      return text
    case ScalarType.BYTES:
      return Buffer.from(text)
    case ScalarType.BOOL:
      return false
    case ScalarType.INT64:
    case ScalarType.UINT64:
    case ScalarType.SINT64:
    case ScalarType.FIXED64:
    case ScalarType.SFIXED64:
      return 1n
    default:
      return 1
  }
}
