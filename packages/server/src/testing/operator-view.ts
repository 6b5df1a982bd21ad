import type { DescMethod, Message } from '@bufbuild/protobuf'
import { toJsonString } from '@bufbuild/protobuf'
import { createClient, type Transport } from '@connectrpc/connect'
import { anyRegistry } from '@nsbox/api'
import { Containers } from '@nsbox/api/gen/services/containers/v1/containers_pb'
import { Content } from '@nsbox/api/gen/services/content/v1/content_pb'
import { Images } from '@nsbox/api/gen/services/images/v1/images_pb'
import { Leases } from '@nsbox/api/gen/services/leases/v1/leases_pb'
import { Namespaces } from '@nsbox/api/gen/services/namespaces/v1/namespace_pb'
import { Store } from '@nsbox/api/gen/services/sandbox/v1/sandbox_pb'
import { Snapshots } from '@nsbox/api/gen/services/snapshots/v1/snapshots_pb'
import { Tasks } from '@nsbox/api/gen/services/tasks/v1/tasks_pb'
import { readTree } from '@nsbox/testing'

/**
 * All that is there but what a tenant has, as an operator sees it.
 *
 * @param options.tenant whose namespace is left out
 * @param options.directory of the host, whose files count
 */
export async function operatorView(
  operator: Transport,
  { tenant, directory }: { tenant: string; directory: string },
): Promise<string[]> {
  const lines: string[] = []
  const { namespaces } = await createClient(Namespaces, operator).list({})
  for (const { name, labels } of namespaces) {
    if (name === tenant) continue
    lines.push(`namespace ${name} ${JSON.stringify(labels)}`)
    const headers = { 'containerd-namespace': name }
    const show = (method: DescMethod, answer: Message) => {
      lines.push(`${name} ${method.name} ${toJsonString(method.output, answer, { registry: anyRegistry })}`)
    }
    const leases = createClient(Leases, operator)
    for (const { id } of (await leases.list({}, { headers })).leases)
      show(Leases.method.listResources, await leases.listResources({ id }, { headers }))
    show(Leases.method.list, await leases.list({}, { headers }))
    show(Images.method.list, await createClient(Images, operator).list({}, { headers }))
    const content = createClient(Content, operator)
    for await (const part of content.list({}, { headers })) show(Content.method.list, part)
    show(Content.method.listStatuses, await content.listStatuses({}, { headers }))
    const containers = await createClient(Containers, operator).list({}, { headers })
    for (const { spec, ...container } of containers.containers) {
      const updatedAt = `${container.updatedAt?.seconds} ${container.updatedAt?.nanos}`
      const text = JSON.stringify({ ...container, createdAt: 0, updatedAt }, bigints)
      lines.push(`${name} container ${text} ${Buffer.from(spec!.value)}`)
    }
    const snapshots = createClient(Snapshots, operator)
    for (const snapshotter of ['overlayfs', 'native'])
      for await (const part of snapshots.list({ snapshotter }, { headers })) show(Snapshots.method.list, part)
    show(Store.method.list, await createClient(Store, operator).list({}, { headers }))
    show(Tasks.method.list, await createClient(Tasks, operator).list({}, { headers }))
  }
  for (const [path, entry] of await readTree(directory))
    lines.push(`${path} ${JSON.stringify(entry, bigints)}`)
  return lines
}

const bigints = (_: string, value: unknown) => (typeof value === 'bigint' ? String(value) : value)
