import { NsboxError, quoted } from '@nsbox/errors'
import {
  buildSpec,
  defaultSpec,
  type Mount,
  parseUser,
  type Spec,
  type SpecOption,
  type User,
  withCwd,
  withDefaultUnixDevices,
  withEnv,
  withHostname,
  withImageConfig,
  withMounts,
  withProcessArgs,
  withTty,
} from '@nsbox/oci/runtime-spec'
import type { ImageInUse } from './image-in-use.ts'

/** The first process of a container, as far as it is not the image's. */
export interface ProcessOptions {
  /** Arguments in place of the image's own, after its entrypoint. */
  readonly args?: readonly string[] | undefined
  /** Program, and first arguments, in place of the image's; then `args` alone follow. */
  readonly entrypoint?: readonly string[] | undefined
  /** Variables to set, as `NAME=value`, or to remove, as `NAME`. */
  readonly env?: readonly string[] | undefined
  readonly cwd?: string | undefined
  /** Numbers of a user, and of a group after a colon; those of the image by default. */
  readonly user?: string | undefined
  readonly hostname?: string | undefined
  /** Whether it has a terminal; not by default. */
  readonly terminal?: boolean | undefined
  /** Mounts beside the usual ones. */
  readonly mounts?: readonly Mount[] | undefined
  /** Further changes, by the functions of `@nsbox/oci/runtime-spec`. */
  readonly specOptions?: readonly SpecOption[] | undefined
}

/**
 * The spec of a container of an image, with the defaults of `ctr`.
 *
 * @throws `failed_precondition` if the image names its user by a name, since only its files have the number;
 * `invalid_argument`
 */
export function imageSpec(
  {
    namespace,
    id,
    image,
  }: { readonly namespace: string; readonly id: string; readonly image: ImageInUse | undefined },
  options: ProcessOptions,
): Spec {
  const { args, cwd, entrypoint, env = [], hostname, mounts = [], specOptions = [], terminal } = options
  const config = image?.config.config
  const user = userOf(options.user ?? config?.user ?? '')
  return buildSpec(defaultSpec({ namespace, id }), [
    withDefaultUnixDevices(),
    ...(config ? [withImageConfig(config, { user, ...(args && { args }) })] : []),
    ...(entrypoint ? [withProcessArgs([...entrypoint, ...(args ?? [])])] : []),
    withEnv([...env]),
    ...(cwd === undefined ? [] : [withCwd(cwd)]),
    ...(hostname === undefined ? [] : [withHostname(hostname)]),
    ...(terminal ? [withTty()] : []),
    withMounts([...mounts]),
    ...specOptions,
  ])
}

function userOf(text: string): User {
  const name = parseUser(text)
  const [uid, gid] = [name.user, name.group ?? 0].map((part) => (part === 'root' ? 0 : part))
  if (typeof uid !== 'number' || typeof gid !== 'number') {
    throw new NsboxError(
      'failed_precondition',
      `the user ${quoted(text)} is a name, whose number only the image’s files have: name it by numbers, as 1000:1000`,
    )
  }
  return { uid, gid, additionalGids: [gid] }
}
