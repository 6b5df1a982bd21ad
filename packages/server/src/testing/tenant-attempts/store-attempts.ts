import { Code } from '@connectrpc/connect'
import { WriteAction } from '@nsbox/api/gen/services/content/v1/content_pb'
import { digestOf } from '@nsbox/oci'
import { type Attempt, absent, descriptor, never, type Request, services, type Targets } from './attempt.ts'

/** Attempts on namespaces, content, images, sandboxes, mounts and leases, and on what tells of the server. */
export function storeAttempts({ lab, sentinel, blob, ownBlob }: Targets): Record<string, Attempt> {
  const [a, b] = [lab.a.namespace, lab.b.namespace]
  const runtime = { name: 'io.containerd.runc.v2' }
  const rootfs = [{ type: 'bind', source: sentinel, options: ['rbind', 'rw'] }]
  const content = (method: string, own: Request, request: Request, codes: Attempt['foreign'] = undefined) =>
    [
      `${services}.content.v1.Content/${method}`,
      { own, foreign: codes ?? { request, codes: absent } },
    ] as const
  return {
    [`${services}.version.v1.Version/Version`]: { own: {} },
    'grpc.health.v1.Health/Check': { own: {} },
    'grpc.health.v1.Health/Watch': { own: {}, waits: true },
    [`${services}.introspection.v1.Introspection/Plugins`]: { own: {} },
    [`${services}.introspection.v1.Introspection/Server`]: { own: {} },
    [`${services}.introspection.v1.Introspection/PluginInfo`]: never({
      type: 'io.containerd.runtime.v2',
      id: 'task',
    }),
    [`${services}.namespaces.v1.Namespaces/Get`]: {
      own: { name: b },
      foreign: { request: { name: a }, codes: [Code.PermissionDenied] },
      host: [{ name: lab.host.namespace }, { name: 'nobodys' }],
    },
    [`${services}.namespaces.v1.Namespaces/List`]: { own: {} },
    [`${services}.namespaces.v1.Namespaces/Create`]: never({ namespace: { name: 'made' } }),
    [`${services}.namespaces.v1.Namespaces/Update`]: never({ namespace: { name: b, labels: { x: 'y' } } }),
    [`${services}.namespaces.v1.Namespaces/Delete`]: never({ name: a }),
    ...Object.fromEntries([
      content('Info', { digest: ownBlob }, { digest: blob }),
      content('Update', { info: { digest: ownBlob } }, { info: { digest: blob, labels: { x: 'y' } } }),
      content('List', {}, {}, { request: { filters: [`digest==${blob}`] }, codes: ['ok'] }),
      content('Delete', { digest: digestOf(Buffer.from('none')) }, { digest: blob }),
      content('Read', { digest: ownBlob }, { digest: blob }),
      content('Status', { ref: `ingest-of-${b}` }, { ref: `ingest-of-${a}` }),
      content('ListStatuses', {}, {}, { request: { filters: [`ref==ingest-of-${a}`] }, codes: ['ok'] }),
      // The digest alone does not give access to another's bytes.
      content(
        'Write',
        { action: WriteAction.STAT, ref: `ingest-of-${b}` },
        {},
        {
          request: { action: WriteAction.COMMIT, ref: 'theirs', total: 30n, expected: blob },
          codes: [Code.FailedPrecondition],
        },
      ),
      content('Abort', { ref: 'none' }, { ref: `ingest-of-${a}` }),
    ]),
    [`${services}.images.v1.Images/Get`]: {
      own: { name: lab.image },
      foreign: { request: { name: `image-of-${a}` }, codes: absent },
    },
    [`${services}.images.v1.Images/List`]: { own: {} },
    [`${services}.images.v1.Images/Create`]: {
      own: { image: { name: 'mine', target: { ...descriptor(ownBlob), size: 30n } } },
      foreign: {
        request: { image: { name: 'stolen', target: { ...descriptor(blob), size: 30n } } },
        codes: ['ok'],
      },
    },
    [`${services}.images.v1.Images/Update`]: {
      own: { image: { name: lab.image }, updateMask: { paths: ['labels'] } },
      foreign: {
        request: { image: { name: `image-of-${a}` }, updateMask: { paths: ['labels'] } },
        codes: absent,
      },
    },
    [`${services}.images.v1.Images/Delete`]: {
      own: { name: 'none' },
      foreign: { request: { name: `image-of-${a}` }, codes: absent },
    },
    ...Object.fromEntries(
      [...['Create', 'Start', 'Platform', 'Stop', 'Wait', 'Status', 'Shutdown', 'Metrics', 'Update']].map(
        (method) => [`${services}.sandbox.v1.Controller/${method}`, never({ sandboxId: `sandbox-of-${a}` })],
      ),
    ),
    [`${services}.mounts.v1.Mounts/Activate`]: never({ name: 'x', mounts: rootfs, temporary: true }),
    [`${services}.mounts.v1.Mounts/Deactivate`]: never({ name: 'x' }),
    [`${services}.mounts.v1.Mounts/Info`]: never({ name: 'x' }),
    [`${services}.mounts.v1.Mounts/Update`]: never({ info: { name: 'x' } }),
    [`${services}.mounts.v1.Mounts/List`]: never({}),
    [`${services}.sandbox.v1.Store/Get`]: {
      own: { sandboxId: `sandbox-of-${b}` },
      foreign: { request: { sandboxId: 'sandbox-of-nobody' }, codes: absent },
    },
    [`${services}.sandbox.v1.Store/List`]: { own: {} },
    [`${services}.sandbox.v1.Store/Create`]: {
      own: { sandbox: { sandboxId: 'mine', runtime } },
      foreign: { request: { sandbox: { sandboxId: `sandbox-of-${a}`, runtime } }, codes: ['ok'] },
    },
    [`${services}.sandbox.v1.Store/Update`]: {
      own: { sandbox: { sandboxId: `sandbox-of-${b}` }, fields: ['labels'] },
      foreign: {
        request: { sandbox: { sandboxId: 'sandbox-of-nobody' }, fields: ['labels'] },
        codes: absent,
      },
    },
    [`${services}.sandbox.v1.Store/Delete`]: {
      own: { sandboxId: 'none' },
      foreign: { request: { sandboxId: 'sandbox-of-nobody' }, codes: absent },
    },
    [`${services}.leases.v1.Leases/Create`]: {
      own: { id: 'mine' },
      foreign: { request: { id: `lease-of-${a}` }, codes: ['ok'] },
    },
    [`${services}.leases.v1.Leases/List`]: { own: {} },
    [`${services}.leases.v1.Leases/ListResources`]: {
      own: { id: `lease-of-${b}` },
      foreign: { request: { id: 'lease-of-nobody' }, codes: absent },
    },
    [`${services}.leases.v1.Leases/AddResource`]: {
      own: { id: `lease-of-${b}`, resource: { id: ownBlob, type: 'content' } },
      foreign: {
        request: { id: `lease-of-${b}`, resource: { id: blob, type: 'content' } },
        codes: ['ok', Code.NotFound],
      },
    },
    [`${services}.leases.v1.Leases/DeleteResource`]: {
      own: { id: `lease-of-${b}`, resource: { id: 'none', type: 'ingests' } },
      foreign: {
        request: { id: `lease-of-${a}`, resource: { id: blob, type: 'content' } },
        codes: ['ok', Code.NotFound],
      },
    },
    [`${services}.leases.v1.Leases/Delete`]: {
      own: { id: 'none', sync: true },
      foreign: { request: { id: `lease-of-${a}`, sync: true }, codes: ['ok'] },
    },
  }
}
