import { create, createFileRegistry } from '@bufbuild/protobuf'
import type { GenService } from '@bufbuild/protobuf/codegenv2'
import {
  FileDescriptorProtoSchema,
  file_google_protobuf_wrappers,
  type StringValueSchema,
} from '@bufbuild/protobuf/wkt'

type Text = typeof StringValueSchema
type Method<Kind> = { methodKind: Kind; input: Text; output: Text }

const text = '.google.protobuf.StringValue'

const file = create(FileDescriptorProtoSchema, {
  name: 'echo.proto',
  package: 'nsbox.test',
  syntax: 'proto3',
  dependency: ['google/protobuf/wrappers.proto'],
  service: [
    {
      name: 'Echo',
      method: [
        { name: 'Unary', inputType: text, outputType: text },
        { name: 'Server', inputType: text, outputType: text, serverStreaming: true },
        { name: 'Client', inputType: text, outputType: text, clientStreaming: true },
        { name: 'Both', inputType: text, outputType: text, clientStreaming: true, serverStreaming: true },
      ],
    },
  ],
})

const registry = createFileRegistry(file, (name) =>
  name === 'google/protobuf/wrappers.proto' ? file_google_protobuf_wrappers : undefined,
)

/** A service with a method of each kind, with texts as requests and responses. */
export const Echo = registry.getService('nsbox.test.Echo') as GenService<{
  unary: Method<'unary'>
  server: Method<'server_streaming'>
  client: Method<'client_streaming'>
  both: Method<'bidi_streaming'>
}>
