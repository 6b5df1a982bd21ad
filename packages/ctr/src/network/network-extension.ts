import type { Container } from '@nsbox/core/containers'

const name = 'ctr.cni-containerd.metadata'
const typeUrl = 'github.com/containerd/containerd/cmd/ctr/commands/NetworkMetaData'

/** Marks a container as connected by CNI, in the form of stock `ctr`. */
export function networkExtension(): Container['extensions'] {
  return { [name]: { typeUrl, value: new TextEncoder().encode(JSON.stringify({ EnableCni: true })) } }
}

/** Whether a container has that mark. */
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
