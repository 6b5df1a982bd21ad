import { typeName, unpackAny } from '@nsbox/api'
import { OptionsSchema } from '@nsbox/api/gen/types/runc/options/oci_pb'
import type { ContainerRuntime } from '@nsbox/core/containers'
import type { OpaqueValue } from '@nsbox/core/tasks'
import type { Checkpoint } from './checkpoint-index.ts'
import { refuseAccess } from './restored-spec.ts'

const runc = 'io.containerd.runc.v2'

/**
 * The runtime of a restored container: that of the checkpoint, runc if it names none. A name and options choose a
 * program that runs on the host. So unless the checkpoint is trusted, only runc and options without paths are allowed
 * (docs/threat-model.md D11).
 *
 * @throws `permission_denied` naming what reaches the host; `invalid_argument` for options that are malformed
 */
export function restoredRuntime(
  { runtime = { name: runc } }: Pick<Checkpoint, 'runtime'>,
  { trusted }: { readonly trusted: boolean },
): ContainerRuntime {
  if (!trusted) {
    refuseAccess(
      [
        ...(runtime.name === runc ? [] : [`runtime ${runtime.name}`]),
        ...(runtime.options ? optionAccess(runtime.options) : []),
      ],
      'its runtime',
    )
  }
  return runtime
}

function optionAccess(options: OpaqueValue): string[] {
  if (options.typeUrl === '' && options.value.byteLength === 0) return []
  if (typeName(options) !== OptionsSchema.typeName) return [`options of type ${options.typeUrl}`]
  const { $typeName: _, $unknown = [], ...fields } = unpackAny(OptionsSchema, options)
  const asked = Object.entries(fields).filter(([name, value]) => Boolean(value) && !harmless.has(name))
  return [...asked.map(([name, value]) => `${name} ${value}`), ...$unknown.map(({ no }) => `option ${no}`)]
}

/** The owner of the FIFOs, and the keyring that is not made. */
const harmless = new Set(['ioUid', 'ioGid', 'noNewKeyring'])
