import { join } from 'node:path'
import { Code } from '@connectrpc/connect'
import { packAny } from '@nsbox/api'
import { StreamInitSchema } from '@nsbox/api/gen/services/streaming/v1/streaming_pb'
import { OptionsSchema } from '@nsbox/api/gen/types/runc/options/oci_pb'
import { ImageStoreSchema } from '@nsbox/api/gen/types/transfer/imagestore_pb'
import { OCIRegistrySchema } from '@nsbox/api/gen/types/transfer/registry_pb'
import { mediaTypes } from '@nsbox/oci'
import { specOf } from '../tenant-lab.ts'
import { type Attempt, absent, descriptor, never, type Request, services, type Targets } from './attempt.ts'

/** Attempts on containers, snapshots, tasks, events and transfers. */
export function containerAttempts(targets: Targets): Record<string, Attempt> {
  const { lab, sentinel, blob, ownBlob, chainId, registry } = targets
  const [a, b] = [lab.a.namespace, lab.b.namespace]
  const [theirs, mine] = [`one-of-${a}`, `one-of-${b}`]
  const runtime = { name: 'io.containerd.runc.v2' }
  const spec = specOf(b, mine, ['true'])
  const container = { id: mine, runtime, spec, snapshotter: 'overlayfs', snapshotKey: mine }
  const logged = { 'containerd.io/restart.loguri': `binary://${sentinel}/file` }
  const hooks = specOf(b, mine, ['true'], (given) => ({
    ...given,
    hooks: { prestart: [{ path: '/bin/true' }] },
  }))
  const privileged = specOf(b, mine, ['true'], (given) => ({
    ...given,
    linux: { ...given.linux, namespaces: [] },
  }))
  const options = packAny(OptionsSchema, { binaryName: join(sentinel, 'file') })
  const rootfs = [{ type: 'bind', source: sentinel, options: ['rbind', 'rw'] }]
  const process = {
    typeUrl: 'types.containerd.io/opencontainers/runtime-spec/1/Process',
    value: Buffer.from(JSON.stringify({ args: ['true'], cwd: '/', noNewPrivileges: true })),
  }
  const image = (name: string) => packAny(ImageStoreSchema, { name })
  const from = (reference: string, resolver: object = {}) =>
    packAny(OCIRegistrySchema, { reference, resolver })
  const snapshot = (key: string) => [
    { type: 'nsbox.snapshot', source: key, options: ['snapshotter=overlayfs'] },
  ]
  const task = (method: string, more: Request = {}): [string, Attempt] => [
    `${services}.tasks.v1.Tasks/${method}`,
    {
      own: { containerId: mine, execId: 'none', ...more },
      foreign: { request: { containerId: theirs, ...more }, codes: absent },
    },
  ]
  return {
    [`${services}.containers.v1.Containers/Get`]: {
      own: { id: mine },
      foreign: { request: { id: theirs }, codes: absent },
    },
    [`${services}.containers.v1.Containers/List`]: { own: {} },
    [`${services}.containers.v1.Containers/ListStream`]: { own: {} },
    [`${services}.containers.v1.Containers/Create`]: {
      own: { container },
      foreign: { request: { container: { ...container, id: theirs } }, codes: [Code.PermissionDenied] },
      host: [
        { container: { ...container, id: 'c1', spec: hooks } },
        { container: { ...container, id: 'c2', spec: privileged } },
        { container: { ...container, runtime: { name: '/bin/sh' } } },
        { container: { ...container, runtime: { ...runtime, options } } },
        { container: { ...container, id: 'c3', labels: logged } },
      ],
    },
    [`${services}.containers.v1.Containers/Update`]: {
      own: { container: { id: mine }, updateMask: { paths: ['labels.x'] } },
      foreign: {
        request: { container: { id: theirs }, updateMask: { paths: ['labels.x'] } },
        codes: absent,
      },
      host: [
        { container: { ...container, spec: hooks }, updateMask: { paths: ['spec'] } },
        { container: { ...container, runtime: { ...runtime, options } } },
        { container: { id: mine, labels: logged }, updateMask: { paths: ['labels'] } },
      ],
    },
    [`${services}.containers.v1.Containers/Delete`]: {
      own: { id: 'none' },
      foreign: { request: { id: theirs }, codes: absent },
    },
    ...Object.fromEntries(
      (
        [
          ['Prepare', { key: 'p', parent: chainId }, { key: 'stolen', parent: theirs }],
          ['View', { key: 'v', parent: chainId }, { key: 'stolen', parent: theirs }],
          ['Mounts', { key: mine }, { key: theirs }],
          ['Commit', { name: 'x', key: 'none' }, { name: 'x', key: theirs }],
          ['Remove', { key: 'none' }, { key: theirs }],
          ['Stat', { key: chainId }, { key: theirs }],
          [
            'Update',
            { info: { name: mine, labels: { x: 'y' } } },
            { info: { name: theirs, labels: { x: 'y' } } },
          ],
          ['Usage', { key: mine }, { key: theirs }],
        ] as const
      ).map(([method, own, request]) => [
        `${services}.snapshots.v1.Snapshots/${method}`,
        { own, foreign: { request, codes: absent } },
      ]),
    ),
    [`${services}.snapshots.v1.Snapshots/List`]: { own: {} },
    [`${services}.snapshots.v1.Snapshots/Cleanup`]: never({}),
    [`${services}.diff.v1.Diff/Apply`]: {
      own: { diff: { ...descriptor(ownBlob), size: 30n }, mounts: snapshot('none') },
      foreign: {
        request: { diff: { ...descriptor(blob), size: 30n }, mounts: snapshot(theirs) },
        codes: absent,
      },
      host: [
        { diff: { ...descriptor(ownBlob), size: 30n }, mounts: rootfs },
        { diff: { ...descriptor(ownBlob), size: 30n }, mounts: [...snapshot(mine), ...rootfs] },
        {
          diff: { ...descriptor(ownBlob), size: 30n },
          mounts: [{ type: 'overlay', source: 'overlay', options: [`upperdir=${sentinel}`] }],
        },
      ],
    },
    [`${services}.diff.v1.Diff/Diff`]: {
      own: { left: snapshot('none'), right: snapshot(mine) },
      foreign: { request: { left: snapshot(theirs), right: snapshot(theirs) }, codes: absent },
      host: [
        { left: [], right: rootfs },
        { left: rootfs, right: snapshot(mine) },
      ],
    },
    [`${services}.tasks.v1.Tasks/Create`]: {
      own: { containerId: 'none' },
      foreign: { request: { containerId: theirs }, codes: absent },
      host: [
        { containerId: mine, rootfs },
        ...['stdin', 'stdout', 'stderr'].map((name) => ({
          containerId: mine,
          [name]: join(sentinel, 'file'),
        })),
        { containerId: mine, stdout: `file://${sentinel}/log` },
        { containerId: mine, stdout: `binary://${sentinel}/file` },
        { containerId: mine, runtimePath: '/bin/sh' },
        { containerId: mine, options },
        {
          containerId: mine,
          checkpoint: { mediaType: mediaTypes.checkpointCriu, digest: ownBlob, size: 30n },
        },
      ],
    },
    ...Object.fromEntries([
      task('Start'),
      task('Get'),
      task('Kill', { signal: 0 }),
      task('ResizePty', { width: 1, height: 1 }),
      task('CloseIO', { stdin: true }),
      task('Pause'),
      task('Resume'),
      task('ListPids'),
      task('DeleteProcess', { execId: 'none' }),
      task('Delete'),
    ]),
    [`${services}.tasks.v1.Tasks/List`]: { own: {} },
    [`${services}.tasks.v1.Tasks/Metrics`]: {
      own: {},
      foreign: { request: { filters: [`id==${theirs}`] }, codes: ['ok'] },
    },
    [`${services}.tasks.v1.Tasks/Wait`]: {
      own: { containerId: mine },
      foreign: { request: { containerId: theirs }, codes: absent },
      waits: true,
    },
    [`${services}.tasks.v1.Tasks/Exec`]: {
      own: { containerId: mine, execId: 'e', spec: process },
      foreign: { request: { containerId: theirs, execId: 'e', spec: process }, codes: absent },
      host: [
        ...['stdin', 'stdout', 'stderr'].map((name) => ({
          ...{ containerId: mine, execId: 'e', spec: process },
          [name]: join(sentinel, 'file'),
        })),
        {
          ...{ containerId: mine, execId: 'e' },
          spec: {
            ...process,
            value: Buffer.from(
              JSON.stringify({
                ...{ args: ['true'], cwd: '/', noNewPrivileges: true },
                capabilities: { bounding: ['CAP_SYS_ADMIN'] },
              }),
            ),
          },
        },
      ],
    },
    [`${services}.tasks.v1.Tasks/Update`]: {
      own: { containerId: mine },
      foreign: { request: { containerId: theirs }, codes: absent },
      host: [
        { containerId: mine, annotations: { 'org.criu.config': join(sentinel, 'file') } },
        {
          containerId: mine,
          resources: {
            typeUrl: 'types.containerd.io/opencontainers/runtime-spec/1/LinuxResources',
            value: Buffer.from(JSON.stringify({ devices: [{ allow: true, access: 'rwm' }] })),
          },
        },
      ],
    },
    [`${services}.tasks.v1.Tasks/Checkpoint`]: never({ containerId: mine }),
    'nsbox.tasks.v1.Processes/Kill': {
      own: { containerId: mine, pid: 2 ** 30, signal: 0 },
      foreign: { request: { containerId: theirs, pid: 1, signal: 0 }, codes: absent },
    },
    'nsbox.disk.v1.Disk/List': { own: { sizes: true } },
    'nsbox.web.v1.Web/Open': never({}),
    'nsbox.web.v1.Page/Listen': never({ id: 'stream' }),
    [`${services}.events.v1.Events/Publish`]: never({ topic: '/tasks/exit', event: { typeUrl: 'x' } }),
    [`${services}.events.v1.Events/Forward`]: never({ envelope: { namespace: a, topic: '/tasks/exit' } }),
    [`${services}.events.v1.Events/Subscribe`]: { own: {}, waits: true },
    [`${services}.streaming.v1.Streaming/Stream`]: {
      own: packAny(StreamInitSchema, { id: `stream-of-${b}` }),
      foreign: {
        request: packAny(StreamInitSchema, { id: 'stream' }),
        codes: ['ok', Code.DeadlineExceeded],
      },
      waits: true,
    },
    [`${services}.transfer.v1.Transfer/Transfer`]: {
      own: { source: image('none'), destination: image('other') },
      foreign: { request: { source: image(`image-of-${a}`), destination: image('stolen') }, codes: absent },
      reached: [
        { source: from(`${registry}/x:1`), destination: image('x') },
        { source: from('localhost:1/x:1'), destination: image('x') },
        { source: from('169.254.169.254/x:1'), destination: image('x') },
        { source: image(lab.image), destination: from(`${registry}/x:1`) },
      ],
      host: [{ source: from('example.com/x:1', { hostDir: sentinel }), destination: image('x') }],
    },
  }
}
