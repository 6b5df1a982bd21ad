import { expect, test } from 'vitest'
import { registerSdk } from './register-sdk.ts'

const missing = () =>
  Promise.reject(Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' }))

test.each([
  {},
  { OTEL_SERVICE_NAME: 'x' },
  { OTEL_TRACES_EXPORTER: '' },
  { OTEL_TRACES_EXPORTER: 'none', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' },
  { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1', OTEL_SDK_DISABLED: 'TRUE' },
])('no SDK is loaded by the variables %j', async (env) => {
  const asked: string[] = []
  const load = async (name: string) => void asked.push(name)
  await using _ = await registerSdk({ env, warn: (message) => void asked.push(message), load })
  expect(asked).toEqual([])
})

test.each(['OTEL_TRACES_EXPORTER', 'OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'])(
  'where %s is set and the SDK is missing, one sentence says what to install',
  async (name) => {
    const warnings: unknown[][] = []
    const warn = (...warning: unknown[]) => void warnings.push(warning)
    await using _ = await registerSdk({ env: { [name]: 'otlp' }, warn, load: missing })
    const why = `${name} is set, but there are no traces without @opentelemetry/sdk-node`
    expect(warnings).toEqual([[`${why}: npm install @opentelemetry/sdk-node`]])
  },
)

test('the SDK has the server’s name unless the variable names another, and its end is waited for', async () => {
  const events: unknown[] = []
  class NodeSDK {
    constructor({ serviceName }: { serviceName: string }) {
      events.push(serviceName)
    }
    start() {
      events.push('start')
    }
    async shutdown() {
      events.push('shutdown')
    }
  }
  const warn = (message: string) => void events.push(message)
  for (const more of [{}, { OTEL_SERVICE_NAME: 'other' }]) {
    const env = { OTEL_TRACES_EXPORTER: 'otlp', ...more }
    await using _ = await registerSdk({ env, warn, load: async () => ({ NodeSDK }) })
  }
  expect(events).toEqual(['nsbox-server', 'start', 'shutdown', 'other', 'start', 'shutdown'])
})

test('an SDK that does not start, or whose last spans cannot be sent, is only warned of', async () => {
  const warnings: string[] = []
  const warn = (message: string) => void warnings.push(message)
  const env = { OTEL_TRACES_EXPORTER: 'otlp' }
  class Failing {
    start() {
      throw new Error('no')
    }
  }
  class Away {
    start() {}
    async shutdown() {
      throw new Error('no')
    }
  }
  for (const NodeSDK of [Failing, Away]) {
    await using _ = await registerSdk({ env, warn, load: async () => ({ NodeSDK }) })
  }
  expect(warnings).toEqual([
    'there are no traces, since the SDK of OpenTelemetry does not start',
    'sending the last spans',
  ])
})
