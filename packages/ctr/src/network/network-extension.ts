import type { Container } from '@nsbox/core/containers'

const name = 'ctr.cni-containerd.metadata'
const typeUrl = 'github.com/containerd/containerd/cmd/ctr/commands/NetworkMetaData'

/**
 * What says of a container that it is connected by CNI, in the words of stock `ctr`, so that each finds the other's.
 */
export function networkExtension(): Container['extensions'] {
  return { [name]: { typeUrl, value: new TextEncoder().encode(JSON.stringify({ EnableCni: true })) } }
}

/** Whether a container says so. */
export function isConnectedByCni({ extensions }: Pick<Container, 'extensions'>): boolean {
  const extension = extensions[name]
  if (extension?.typeUrl !== typeUrl) return false
  const metadata: unknown = JSON.parse(new TextDecoder().decode(extension.value))
  return (
    typeof metadata === 'object' &&
    metadata !== null &&
    'EnableCni' in metadata &&
    metadata.EnableCni === true
  )
}
