import { readdirSync, readFileSync } from 'node:fs'
import type { DescEnum, DescField, DescFile, DescMessage, DescMethod } from '@bufbuild/protobuf'
import { ScalarType } from '@bufbuild/protobuf'
import { describe, expect, it } from 'vitest'

/** What wire.json says of one file of the API; type names are complete. */
interface WireFile {
  package: string
  services?: Record<string, Record<string, WireMethod>>
  enums?: Record<string, Record<string, number>>
  messages?: Record<string, Record<string, WireField>>
}

interface WireMethod {
  request: string
  response: string
  clientStreaming?: true
  serverStreaming?: true
}

interface WireField {
  number: number
  /** Of a map, the type of its values. */
  type: string
  label?: 'optional' | 'repeated' | 'map'
  key?: string
}

const contract = JSON.parse(readFileSync(new URL('../wire.json', import.meta.url), 'utf8')) as Record<
  string,
  WireFile
>

const scalarNames = new Map(Object.entries(ScalarType).map(([name, type]) => [type, name.toLowerCase()]))

function singularType(field: DescField): string {
  return (field.message ?? field.enum)?.typeName ?? scalarNames.get(field.scalar!)!
}

function wireField(field: DescField): WireField {
  const wire: WireField = { number: field.number, type: singularType(field) }
  if (field.fieldKind === 'map') return { ...wire, label: 'map', key: scalarNames.get(field.mapKey)! }
  if (field.fieldKind === 'list') return { ...wire, label: 'repeated' }
  if (field.proto.proto3Optional) return { ...wire, label: 'optional' }
  return wire
}

function wireMethod(method: DescMethod): WireMethod {
  const { clientStreaming, serverStreaming } = method.proto
  return {
    request: method.input.typeName,
    response: method.output.typeName,
    ...(clientStreaming ? { clientStreaming } : {}),
    ...(serverStreaming ? { serverStreaming } : {}),
  } as WireMethod
}

const withNested = (message: DescMessage): DescMessage[] => [
  message,
  ...message.nestedMessages.flatMap(withNested),
]

function wireFile(file: DescFile): Required<WireFile> {
  const local = (desc: DescMessage | DescEnum) => desc.typeName.slice(file.proto.package.length + 1)
  const messages = file.messages.flatMap(withNested)
  const enums = [...file.enums, ...messages.flatMap((message) => message.nestedEnums)]
  return {
    package: file.proto.package,
    services: Object.fromEntries(
      file.services.map((service) => [
        service.name,
        Object.fromEntries(service.methods.map((method) => [method.name, wireMethod(method)])),
      ]),
    ),
    enums: Object.fromEntries(
      enums.map((desc) => [
        local(desc),
        Object.fromEntries(desc.values.map((value) => [value.name, value.number])),
      ]),
    ),
    messages: Object.fromEntries(
      messages.map((message) => [
        local(message),
        Object.fromEntries(message.fields.map((field) => [field.name, wireField(field)])),
      ]),
    ),
  }
}

/** The descriptors of every generated module that is there, whether the contract knows it or not. */
async function generatedFiles(): Promise<Map<string, DescFile>> {
  const modules = readdirSync(new URL('gen/', import.meta.url), { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.endsWith('_pb.ts'),
  )
  const found = new Map<string, DescFile>()
  for (const name of modules) {
    const exported = (await import(new URL(`gen/${name}`, import.meta.url).href)) as Record<string, unknown>
    for (const value of Object.values(exported)) {
      if ((value as { kind?: string } | undefined)?.kind === 'file') {
        found.set((value as DescFile).name, value as DescFile)
      }
    }
  }
  return found
}

const generated = await generatedFiles()

describe('the wire contract', () => {
  it('and the generated code have the same files', () => {
    // What the project adds in packages of its own name is no part of what it has to agree on with others.
    const shared = [...generated.keys()].filter((name) => !name.startsWith('nsbox/'))
    expect(shared.sort()).toEqual(Object.keys(contract).sort())
  })

  // toEqual on whole files compares in both directions: nothing missing, nothing more, nothing renumbered.
  it.each(Object.entries(contract))('and the generated code agree on %s', (name, file) => {
    expect(wireFile(generated.get(name)!)).toEqual({ services: {}, enums: {}, messages: {}, ...file })
  })

  it('covers the API as a whole', () => {
    const files = Object.values(contract)
    const services = files.flatMap((file) => Object.values(file.services ?? {}))
    const messages = files.flatMap((file) => Object.values(file.messages ?? {}))
    expect({
      services: services.length,
      methods: services.flatMap((service) => Object.keys(service)).length,
      messages: messages.length,
      fields: messages.flatMap((message) => Object.keys(message)).length,
      enums: files.flatMap((file) => Object.keys(file.enums ?? {})).length,
    }).toEqual({ services: 19, methods: 108, messages: 287, fields: 847, enums: 6 })
  })
})
