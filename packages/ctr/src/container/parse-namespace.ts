import { NsboxError } from '@nsbox/errors'
import type { NamespaceType } from '@nsbox/oci/runtime-spec'

/** The types of namespaces, by the names of the OCI spec and those of the files in `/proc/<pid>/ns`. */
const types: ReadonlyMap<string, NamespaceType> = new Map([
  ['pid', 'pid'],
  ['network', 'network'],
  ['net', 'network'],
  ['mount', 'mount'],
  ['mnt', 'mount'],
  ['ipc', 'ipc'],
  ['uts', 'uts'],
  ['user', 'user'],
  ['cgroup', 'cgroup'],
])

/** A namespace to join, written `<type>:<path>`. @throws `invalid_argument` */
export function parseNamespace(text: string): { type: NamespaceType; path: string } {
  const at = text.indexOf(':')
  const path = text.slice(at + 1)
  if (at === -1 || path === '') {
    throw new NsboxError(
      'invalid_argument',
      `namespace ${JSON.stringify(text)}: not of the form <type>:<path>`,
    )
  }
  const name = text.slice(0, at)
  const type = types.get(name)
  if (type !== undefined) return { type, path }
  throw new NsboxError(
    'invalid_argument',
    `the Linux namespace type specified in --with-ns is not valid: ${name}`,
  )
}
