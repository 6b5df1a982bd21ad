import type { Container } from '@nsbox/core/containers'
import type { Session } from '../session.ts'
import { isConnectedByCni } from './network-extension.ts'

/** The networks of a container that is connected by CNI, on this host. */
export interface ContainerNetwork {
  /**
   * Connects it: with itself, and as the first configuration in `NETCONFPATH` or `/etc/cni/net.d` says; for an ordinary
   * user as `connectAsUser` does.
   */
  connect(pid: number): Promise<void>
  /** Ends all its connections; idempotent. */
  disconnect(): Promise<void>
}

/** The networks of a container; undefined for one that is not connected by CNI. */
export async function networkOf(
  { client, signal }: Pick<Session, 'client' | 'signal'>,
  container: Pick<Container, 'extensions' | 'id'>,
): Promise<ContainerNetwork | undefined> {
  if (!isConnectedByCni(container)) return undefined
  const { isInUserNamespace } = await import('@nsbox/sys/user-namespaces')
  // CNI plugins make interfaces of the host, which only its root may.
  if (process.geteuid?.() !== 0 || isInUserNamespace()) {
    const { connectAsUser } = await import('./user-network.ts')
    return { connect: (pid) => connectAsUser(`/proc/${pid}/ns/net`, { signal }), disconnect: async () => {} }
  }
  const { Cni, loopbackNetwork, readDefaultNetwork } = await import('@nsbox/cni')
  const cni = new Cni()
  // Neither name has two dashes in a row, so no two containers get the same id.
  const containerId = `${client.namespace}--${container.id}`
  return {
    async connect(pid) {
      const netns = `/proc/${pid}/ns/net`
      const network = await readDefaultNetwork(process.env.NETCONFPATH || undefined, { signal })
      await cni.add(loopbackNetwork, { containerId, netns, ifName: 'lo' }, { signal })
      await cni.add(network, { containerId, netns, ifName: 'eth0' }, { signal })
    },
    // Also runs after an interrupt.
    disconnect: () => cni.deleteAll(containerId),
  }
}
