import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Client, connect } from '@nsbox/client'
import {
  buildImage,
  busyboxLayer,
  pushImage,
  removeCgroup,
  runOrThrow,
  scratchMount,
  startProcess,
  startRegistry,
} from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Server } from '../server.ts'
import { startServer } from '../start.ts'
import { series } from '../testing/metrics-text.ts'

const namespace = 'metrics'

describeWith(
  { root: true, linux: true, programs: ['docker-registry', 'prometheus', 'runc', 'skopeo'] },
  'the metrics of a server with work',
  () => {
    const resources = new AsyncDisposableStack()
    let server: Server
    let client: Client
    let directory: string
    let registry: string

    beforeAll(async () => {
      directory = resources.use(await scratchMount()).path
      const served = resources.use(await startRegistry())
      registry = served.host
      const image = await buildImage(join(directory, 'image'), { layers: [await busyboxLayer()] })
      await pushImage(image, served, 'box:1')
      resources.defer(() => removeCgroup(namespace))
      server = resources.use(
        await startServer({
          root: join(directory, 'root'),
          state: join(directory, 'state'),
          durability: 'relaxed',
          metricsAddress: '127.0.0.1:0',
          // The containers of a probe would be counted as well.
          runtimeShortcuts: 'off',
        }),
      )
      client = resources.use(connect({ address: server.address, namespace }))
      await client.pull(`${registry}/box:1`, { unpack: {} })
      await client.create({ image: `${registry}/box:1`, id: 'busy', args: ['sh', '-c', 'sleep 1000'] })
      await client.create({ image: `${registry}/box:1`, id: 'made', args: ['true'] })
      for (const id of ['busy', 'made']) await client.tasks.create(id)
      resources.defer(async () => {
        await client.tasks.kill('busy', 9)
        await client.tasks.wait('busy')
        for (const id of ['busy', 'made']) await client.tasks.delete(id)
      })
      await client.tasks.start('busy')
    }, 60_000)
    afterAll(() => resources.disposeAsync())

    test('tell of pulls, bytes, unpacking, tasks, containers and the supervisor', async () => {
      await client.pull(`${registry}/missing:1`).catch(() => undefined)
      const found = series((await server.metrics()).body)
      expect(found.get(`nsbox_pulls_total{registry="${registry}",code="OK"}`)).toBe(1)
      expect(found.get(`nsbox_pulls_total{registry="${registry}",code="NotFound"}`)).toBe(1)
      expect(found.get('nsbox_pull_duration_seconds_count')).toBe(2)
      expect(found.get('nsbox_pulls_in_flight')).toBe(0)
      expect(found.get('nsbox_fetched_bytes_total')).toBeGreaterThan(500_000)
      for (const stage of ['prepare', 'apply', 'commit'])
        expect(found.get(`nsbox_unpack_stage_duration_seconds_count{stage="${stage}"}`), stage).toBe(1)
      expect(found.get(`nsbox_tasks{namespace="${namespace}",state="running"}`)).toBe(1)
      expect(found.get(`nsbox_tasks{namespace="${namespace}",state="created"}`)).toBe(1)
      const busy = `{namespace="${namespace}",container="busy"}`
      expect(found.get(`nsbox_container_memory_usage_bytes${busy}`)).toBeGreaterThan(0)
      expect(found.get(`nsbox_container_cpu_usage_seconds_total${busy}`)).toBeGreaterThan(0)
      expect(found.get(`nsbox_container_processes${busy}`)).toBeGreaterThan(0)
      expect(found.get('nsbox_containers_not_measured')).toBe(0)
      expect(found.get('nsbox_supervised_processes')).toBe(2)
      expect(found.get('nsbox_supervisors')).toBe(1)
      expect(found.get('nsbox_supervisor_restarts_total')).toBe(0)
    })

    test('tell what collections remove', async () => {
      const before = series((await server.metrics()).body)
      const other = client.withNamespace('metrics-collected')
      await other.pull(`${registry}/box:1`)
      await other.images.delete(`${registry}/box:1`, { sync: true })
      const found = series((await server.metrics()).body)
      const more = (name: string) => found.get(name)! - before.get(name)!
      expect(more('nsbox_collection_duration_seconds_count')).toBeGreaterThan(0)
      // Manifest, config and layer.
      expect(more('nsbox_collected_objects_total{kind="content"}')).toBe(3)
      expect(found.get('nsbox_collection_failures_total')).toBe(0)
    })

    test('go to channels of Node.js that somebody has subscribed to, once each thing has ended', async () => {
      const told: [string | symbol, Record<string, unknown>][] = []
      const listener = (message: unknown, name: string | symbol) =>
        void told.push([name, message as Record<string, unknown>])
      const channels = ['nsbox:call', 'nsbox:pull', 'nsbox:unpack', 'nsbox:collection', 'nsbox:task']
      for (const name of channels) subscribe(name, listener)
      const messages = (name: string) => told.filter(([of]) => of === name).map(([, message]) => message)
      try {
        const other = client.withNamespace('metrics-channels')
        const reference = `${registry}/box:1`
        await other.pull(reference)
        await other.images.delete(reference, { sync: true })
        await client.tasks.pause('busy')
        await client.tasks.resume('busy')
        await expect.poll(() => messages('nsbox:task').length).toBe(2)
        const milliseconds = expect.any(Number)
        expect(messages('nsbox:pull')).toEqual([
          { namespace: 'metrics-channels', reference, code: 'OK', milliseconds },
        ])
        expect(messages('nsbox:call')).toContainEqual({
          ...{ service: 'containerd.services.tasks.v1.Tasks', method: 'Pause', namespace },
          ...{ peer: undefined, code: 'OK', milliseconds },
        })
        expect(messages('nsbox:collection').length).toBeGreaterThan(0)
        expect(messages('nsbox:task').every((message) => message.namespace === namespace)).toBe(true)
      } finally {
        for (const name of channels) unsubscribe(name, listener)
      }
    })

    test('are scraped by Prometheus, which answers what the server has counted', {
      timeout: 60_000,
    }, async () => {
      const target = new URL(server.metricsAddress!)
      const configuration = join(directory, 'prometheus.yml')
      const job = { job_name: 'nsbox', scrape_interval: '1s', static_configs: [{ targets: [target.host] }] }
      await writeFile(configuration, JSON.stringify({ scrape_configs: [job] }))
      await runOrThrow('promtool', ['check', 'config', configuration])
      await using prometheus = await startProcess(
        'prometheus',
        [
          `--config.file=${configuration}`,
          `--storage.tsdb.path=${join(directory, 'prometheus')}`,
          '--web.listen-address=127.0.0.1:0',
        ],
        { ready: /Server is ready to receive web requests/ },
      )
      const [, address] = await prometheus.waitForOutput(/msg="Listening on" address=(\S+)/)
      const query = async (expression: string) => {
        const asked = `http://${address}/api/v1/query?query=${encodeURIComponent(expression)}`
        const { data } = (await (await fetch(asked)).json()) as {
          data: { result: { metric: Record<string, string>; value: [number, string] }[] }
        }
        return data.result.map(({ metric, value }) => ({ ...metric, value: Number(value[1]) }))
      }
      await expect.poll(() => query('up{job="nsbox"} == 1'), { timeout: 30_000 }).toHaveLength(1)
      expect(await query('sum by (state) (nsbox_tasks)')).toEqual(
        expect.arrayContaining([
          { state: 'running', value: 1 },
          { state: 'created', value: 1 },
        ]),
      )
      expect(await query(`nsbox_pulls_total{code="OK",registry="${registry}"} > 0`)).toHaveLength(1)
      expect(await query('histogram_quantile(0.5, nsbox_pull_duration_seconds_bucket) > 0')).toHaveLength(1)
    })
  },
)
