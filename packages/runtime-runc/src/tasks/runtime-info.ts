import type { RuntimeInfo, RuntimeInfoOptions } from '@nsbox/core/tasks'
import { runcOf } from './create-task.ts'
import { type RuntimeDefaults, runtimeChoice } from './runtime-choice.ts'

const featuresType = 'types.containerd.io/opencontainers/runtime-spec/1/features/Features'

/** Version and features of the program that tasks with these options run. */
export async function runtimeInfo(
  defaults: RuntimeDefaults,
  { options, runtimePath, signal }: RuntimeInfoOptions,
): Promise<RuntimeInfo> {
  // The namespace only selects the state directory, which is not used here.
  const runc = runcOf(runtimeChoice('default', options, runtimePath, defaults))
  const [{ name, version, commit = '' }, features] = await Promise.all([
    runc.version({ signal }),
    runc.features({ signal }),
  ])
  const value = new TextEncoder().encode(JSON.stringify(features))
  return { name, version, revision: commit, features: { typeUrl: featuresType, value } }
}
