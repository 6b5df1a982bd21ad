import type { Container, ContainerStore, NewContainer, OpaqueValue } from '@nsbox/core/containers'

/** A value whose bytes are no text. */
export function opaque(typeUrl: string, ...bytes: number[]): OpaqueValue {
  return { typeUrl, value: Uint8Array.of(0, 255, 10, ...bytes) }
}

const specType = 'types.containerd.io/opencontainers/runtime-spec/1/Spec'

/** A container with all fields. Neither image nor snapshot exist. */
export function whole(id: string, more: Partial<NewContainer> = {}): Required<NewContainer> {
  return {
    id,
    labels: { a: '1', 'b.c/d': 'ä = "2"' },
    image: 'docker.io/library/redis:latest',
    runtime: { name: 'io.containerd.runc.v2', options: opaque('containerd.runc.v1.Options', 1) },
    spec: opaque(specType, 2),
    snapshotter: 'overlayfs',
    snapshotKey: 'rootfs of x',
    extensions: { 'some/extension': opaque('example.Extension', 3), other: opaque('example.Other', 4) },
    sandbox: 'pod',
    ...more,
  }
}

/** A container with only the required fields. */
export function bare(id: string, more: Partial<NewContainer> = {}): NewContainer {
  return { id, runtime: { name: 'io.containerd.runc.v2' }, spec: opaque(specType), ...more }
}

/** A container that can be compared with literals, whatever the prototypes of its maps and the class of its bytes. */
export function plain(container: Container): Container {
  const { runtime } = container
  return {
    ...container,
    labels: { ...container.labels },
    runtime: { name: runtime.name, ...(runtime.options && { options: plainValue(runtime.options) }) },
    spec: plainValue(container.spec),
    extensions: Object.fromEntries(
      Object.entries(container.extensions).map(([name, value]) => [name, plainValue(value)]),
    ),
  }
}

const plainValue = ({ typeUrl, value }: OpaqueValue) => ({ typeUrl, value: Uint8Array.from(value) })

/** All containers that match, in the order of the listing. */
export async function listed(store: ContainerStore, ...filters: string[]): Promise<string[]> {
  const ids: string[] = []
  for await (const { id } of store.list(filters)) ids.push(id)
  return ids
}
