import { type Container, type ContainerChange, restartLabels } from '@nsbox/core/containers'
import type { Labels } from '@nsbox/core/labels'
import { NsboxError, quoted } from '@nsbox/errors'
import { isRuntimeName } from '../runtime-names.ts'
import { admitSpec } from './tenant-spec.ts'

type Given = Pick<ContainerChange, 'runtime' | 'spec'> & Pick<Container, 'id'>

/**
 * Refuses a container that would get anything of the host. Only given fields are checked; before a task is made of a
 * container, all of them are.
 *
 * @throws `permission_denied`, naming the field; `invalid_argument` for a malformed spec
 */
export function admitContainer({ id, runtime, spec }: Given, namespace: string): void {
  if (runtime !== undefined && !isRuntimeName(runtime.name))
    throw denied(`runtime ${quoted(runtime.name)} of a tenant's container`)
  admitRuntimeOptions(runtime?.options)
  if (spec !== undefined) admitSpec(spec, { namespace, id })
}

/**
 * Refuses options of the runtime: they are programs and paths of the host. An empty message is allowed.
 * @throws `permission_denied`
 */
export function admitRuntimeOptions(options: { readonly value: Uint8Array } | undefined): void {
  if (options !== undefined && options.value.length > 0) throw denied('options of the runtime of a tenant')
}

/**
 * Refuses labels that would have the server write to a file of the host, or run a program. @throws `permission_denied`
 */
export function admitRestart(labels: Labels): void {
  for (const label of [restartLabels.logUri, restartLabels.logPath])
    if (labels[label] !== undefined) throw denied(`label ${label} of a tenant's container`)
}

/** Whether labels order that a task is started or stopped. */
export function ordersTasks(labels: Labels): boolean {
  return Object.values(restartLabels).some((label) => labels[label] !== undefined)
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
