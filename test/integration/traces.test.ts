import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it } from 'vitest'
import { startServer } from './programs.ts'

interface Attribute {
  readonly key: string
  readonly value: { readonly stringValue?: string; readonly intValue?: number | string }
}

/** The parts of an export that are looked at, as JSON of OTLP. */
interface Export {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] }
    readonly scopeSpans: readonly {
      readonly scope: { readonly name: string }
      readonly spans: readonly { readonly name: string; readonly attributes: readonly Attribute[] }[]
    }[]
  }[]
}

const textOf = (attributes: readonly Attribute[], key: string) =>
  attributes.find((attribute) => attribute.key === key)?.value.stringValue

it('the variables of OpenTelemetry send spans to a collector, the last ones at the end', async () => {
  const exports: Export[] = []
  const paths: string[] = []
  const collector = createServer(async (request, response) => {
    let text = ''
    for await (const piece of request.setEncoding('utf8')) text += piece
    paths.push(`${request.method} ${request.url}`)
    exports.push(JSON.parse(text))
    response.setHeader('content-type', 'application/json').end('{}')
  })
  await once(collector.listen(0, '127.0.0.1'), 'listening')
  try {
    const { port } = collector.address() as AddressInfo
    await using server = await startServer({
      env: {
        OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
        OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
        OTEL_SERVICE_NAME: 'nsbox-here',
        // The end has to send them.
        OTEL_BSP_SCHEDULE_DELAY: '600000',
      },
    })
    expect((await server.ctr(['version'])).code).toBe(0)
    await server.stop()
    expect(new Set(paths)).toEqual(new Set(['POST /v1/traces']))
    const resources = exports.flatMap(({ resourceSpans }) => resourceSpans)
    for (const { resource } of resources)
      expect(textOf(resource.attributes, 'service.name')).toBe('nsbox-here')
    const scopes = resources.flatMap(({ scopeSpans }) => scopeSpans)
    expect(new Set(scopes.map(({ scope }) => scope.name))).toEqual(new Set(['nsbox']))
    const spans = scopes.flatMap(({ spans: found }) => found)
    const version = spans.find(({ name }) => name === 'containerd.services.version.v1.Version/Version')
    expect(version && textOf(version.attributes, 'rpc.method')).toBe('Version')
  } finally {
    collector.close()
  }
})
