import { CFunction } from '../c-function.ts'
import { inNamespace } from './in-namespace.ts'

const sethostname = new CFunction('int sethostname(const uint8_t *name, size_t length)')

/**
 * Sets the hostname of another UTS namespace (sethostname(2)).
 *
 * @param namespace a descriptor of `/proc/<pid>/ns/uts`
 * @param name at most 64 bytes
 * @throws as `inNamespace`
 */
export function setHostname(namespace: number, name: string): void {
  const bytes = new TextEncoder().encode(name)
  sethostname.succeeded(inNamespace('uts', namespace, () => sethostname.call(bytes, bytes.length)))
}
