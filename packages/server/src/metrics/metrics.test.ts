import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { connect as connectSocket } from 'node:net'
import { join } from 'node:path'
import { createClient } from '@connectrpc/connect'
import { Namespaces } from '@nsbox/api/gen/services/namespaces/v1/namespace_pb'
import { Version } from '@nsbox/api/gen/services/version/v1/version_pb'
import { tempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Server } from '../server.ts'
import { startServer } from '../start.ts'
import { socketTransport } from '../testing/grpc-call.ts'
import { series } from '../testing/metrics-text.ts'
import { definitions } from './definitions.ts'
import { openMetricsListener } from './metrics-listener.ts'

const resources = new AsyncDisposableStack()
let directory: string
let server: Server
let port: number

beforeAll(async () => {
  directory = resources.use(await tempDir('nsbox-metrics')).path
  const root = join(directory, 'root')
  server = resources.use(await startServer({ root, durability: 'relaxed', metricsAddress: '127.0.0.1:0' }))
  port = Number(/^http:\/\/127\.0\.0\.1:(\d+)\/metrics$/.exec(server.metricsAddress ?? '')?.[1])
})
afterAll(() => resources.disposeAsync())

interface Asked {
  readonly path?: string
  readonly method?: string
  readonly host?: string
  readonly socketPath?: string
}

async function ask({ path = '/metrics', method = 'GET', host, socketPath }: Asked = {}) {
  const sent = request({
    ...(socketPath === undefined ? { host: '127.0.0.1', port } : { socketPath }),
    ...{ path, method, agent: false },
    headers: { host: host ?? `127.0.0.1:${port}` },
  })
  sent.end()
  const [response] = await once(sent, 'response')
  let body = ''
  for await (const chunk of response.setEncoding('utf8')) body += chunk
  return { status: response.statusCode, type: response.headers['content-type'], body }
}

describe('the listener for metrics', () => {
  test('tells them at /metrics, and where containerd has its own', async () => {
    const { status, type, body } = await ask()
    expect([status, type]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8'])
    expect(series(body).get('process_start_time_seconds')).toBeLessThanOrEqual(Date.now() / 1000)
    expect((await ask({ path: '/v1/metrics?x' })).status).toBe(200)
    const head = await ask({ method: 'HEAD' })
    expect([head.status, head.body]).toEqual([200, ''])
  })

  test('D24 answers only requests that name its own address as their host, and only such as read', async () => {
    const statuses = async (asked: readonly Asked[]) =>
      await Promise.all(asked.map(async (each) => (await ask(each)).status))
    expect(await statuses([{ host: `localhost:${port}` }])).toEqual([200])
    const others = ['evil.example', `evil.example:${port}`, '127.0.0.1', `127.0.0.1.evil.example:${port}`]
    expect(await statuses(others.map((host) => ({ host })))).toEqual(others.map(() => 421))
    expect(await statuses([{ method: 'POST' }, { method: 'DELETE' }])).toEqual([405, 405])
    expect(await statuses([{ path: '/' }, { path: '/metrics/' }, { path: '/../metrics' }])).toEqual([
      404, 404, 404,
    ])
  })

  test('D24 is refused any other address than of loopback', async () => {
    const open = (address: string) =>
      openMetricsListener(address, () => server.metrics(), pino({ level: 'silent' }))
    for (const address of ['0.0.0.0:0', '[::]:0', '10.1.2.3:0', 'example.com:0', '[::ffff:10.1.2.3]:0'])
      await expect(open(address), address).rejects.toMatchObject({
        code: 'invalid_argument',
        message: expect.stringContaining('loopback'),
      })
    await expect(open('unix://relative')).rejects.toMatchObject({ code: 'invalid_argument' })
  })

  test('D24 bounds its connections, and lets go of those that say nothing', async () => {
    const sockets = Array.from({ length: 40 }, () => connectSocket(port, '127.0.0.1'))
    const ended = sockets
      .filter((socket) => socket.on('error', () => {}))
      .map((socket) => once(socket, 'close'))
    // Those beyond the bound are closed at once.
    await Promise.all(ended.slice(16 + 8))
    for (const socket of sockets) socket.destroy()
    await expect
      .poll(
        async () =>
          await ask().then(
            ({ status }) => status,
            () => 'refused',
          ),
      )
      .toBe(200)
  })

  test('serves on a socket that is only for its own user', async () => {
    const socketPath = join(directory, 'metrics.sock')
    const root = join(directory, 'by-socket')
    await using other = await startServer({
      root,
      durability: 'relaxed',
      metricsAddress: `unix://${socketPath}`,
    })
    expect(other.metricsAddress).toBe(`unix://${socketPath}`)
    expect((await stat(socketPath)).mode & 0o777).toBe(0o600)
    expect((await ask({ socketPath, host: 'anything' })).status).toBe(200)
  })
})

describe('the metrics', () => {
  test('count calls by the fast path, by Connect and over HTTP/1.1, with their statuses and durations', async () => {
    const count = async (method: string, code: string) => {
      const { body } = await server.metrics()
      const service = method.startsWith('Version') ? 'containerd.services.version.v1.Version' : namespaces
      return (
        series(body).get(`nsbox_calls_total{service="${service}",method="${method}",code="${code}"}`) ?? 0
      )
    }
    const namespaces = 'containerd.services.namespaces.v1.Namespaces'
    using client = socketTransport(server.address)
    const before = await count('Version', 'OK')
    for (let round = 0; round < 3; round++) await createClient(Version, client.transport).version({})
    await createClient(Namespaces, client.transport)
      .delete({ name: 'missing' })
      .catch(() => undefined)
    const json = request({
      socketPath: server.address,
      method: 'POST',
      path: '/containerd.services.version.v1.Version/Version',
      headers: { 'content-type': 'application/json' },
    }).end('{}')
    await once(await once(json, 'response').then(([response]) => response.resume()), 'end')
    expect(await count('Version', 'OK')).toBe(before + 4)
    expect(await count('Delete', 'NotFound')).toBe(1)
    const { body } = await server.metrics()
    const labels = 'service="containerd.services.version.v1.Version",method="Version"'
    expect(series(body).get(`nsbox_call_duration_seconds_count{${labels}}`)).toBe(before + 4)
    expect(series(body).get(`nsbox_call_duration_seconds_bucket{${labels},le="+Inf"}`)).toBe(before + 4)
    expect(series(body).get(`nsbox_calls_in_flight{${labels}}`)).toBe(0)
  })

  test('have each a line in the documentation, as it is exported', async () => {
    const text = await readFile(join(import.meta.dirname, '../../../../docs/metrics.md'), 'utf8')
    const documented = text.split('\n').filter((line) => /^\| `/.test(line))
    const exported = definitions.map(({ name, type, labels = [], help }) => {
      const listed = labels.map((label) => `\`${label}\``).join(', ')
      return `| \`${name}\` | ${type} | ${listed} | ${help} |`
    })
    expect(documented).toEqual(exported)
    const { body } = await server.metrics()
    expect([...body.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [name, type])).toEqual(
      definitions.map(({ name, type }) => [name, type]),
    )
  })
})

interface Panel {
  readonly title: string
  readonly targets?: readonly { readonly expr: string }[]
}

describeWith({ programs: ['promtool'] }, 'promtool', () => {
  test('finds that every expression of the dashboard is one, and of metrics that there are', async () => {
    const file = join(import.meta.dirname, '../../../../docs/grafana-dashboard.json')
    const { panels } = JSON.parse(await readFile(file, 'utf8')) as { panels: Panel[] }
    const expressions = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr))
    const names = definitions.flatMap(({ name, type }) =>
      type === 'histogram' ? ['_bucket', '_sum', '_count'].map((end) => `${name}${end}`) : [name],
    )
    const labels = new Set(['instance', 'le', ...definitions.flatMap(({ labels = [] }) => labels)])
    expect(expressions.length).toBeGreaterThan(20)
    for (const expression of expressions) {
      const used = expression.match(/\b(?:nsbox|process|nodejs)_\w+/g) ?? []
      expect(used, expression).not.toEqual([])
      for (const name of used) expect(names, expression).toContain(name)
      const named = [...expression.matchAll(/by \(([^)]*)\)|([a-z_]+)!?=~?"/g)]
      for (const [, by = '', matched = ''] of named)
        for (const label of [...by.split(', '), matched].filter((each) => each !== ''))
          expect([...labels], expression).toContain(label)
    }
    const rules = expressions.map((expression, index) => ({
      record: `dashboard:${index}`,
      expr: expression.replaceAll('$__rate_interval', '5m').replaceAll('$instance', '.*'),
    }))
    const path = join(directory, 'rules.yml')
    await writeFile(path, JSON.stringify({ groups: [{ name: 'dashboard', rules }] }))
    const { status, stderr } = spawnSync('promtool', ['check', 'rules', path], { encoding: 'utf8' })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  })

  test('finds nothing wrong with the text', async () => {
    const { body } = await server.metrics()
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
      input: body,
      encoding: 'utf8',
    })
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' })
  })
})
