import type { Container, ContainerChange } from '@nsbox/core/containers'
import { NsboxError, quoted } from '@nsbox/errors'
import { admitSpec } from './tenant-spec.ts'

/** The one runtime that a tenant's containers are run by. */
const runtimeName = 'io.containerd.runc.v2'

type Given = Pick<ContainerChange, 'runtime' | 'spec'> & Pick<Container, 'id'>

/**
 * Refuses what would give a tenant's container anything of the host. What is not said is not looked at; before a task is
 * made of a container, all of it is.
 *
 * @throws `permission_denied`, naming the field; `invalid_argument` for what is no spec
 */
export function admitContainer({ id, runtime, spec }: Given, namespace: string): void {
  if (runtime !== undefined && runtime.name !== runtimeName)
    throw denied(`runtime ${quoted(runtime.name)} of a tenant's container`)
  admitRuntimeOptions(runtime?.options)
  if (spec !== undefined) admitSpec(spec, { namespace, id })
}

/**
 * Refuses options of the runtime: they are programs and paths of the host. A message with nothing in it says nothing.
 * @throws `permission_denied`
 */
export function admitRuntimeOptions(options: { readonly value: Uint8Array } | undefined): void {
  if (options !== undefined && options.value.length > 0) throw denied('options of the runtime of a tenant')
}

/** Refuses a text that a tenant must leave empty. @throws `permission_denied` */
export function admitNone(given: Readonly<Record<string, unknown>>): void {
  for (const [field, value] of Object.entries(given)) {
    const isNone = value === undefined || value === '' || (Array.isArray(value) && value.length === 0)
    if (!isNone) throw denied(`${field} of a tenant`)
  }
}

function denied(what: string): NsboxError {
  return new NsboxError('permission_denied', what)
}
