import { readFile } from 'node:fs/promises'
import type { ImageConfig } from '@nsbox/oci'
import {
  buildSpec,
  defaultSpec,
  parseSpec,
  type RootfsReader,
  resolveUser,
  type Spec,
  type SpecOption,
  withDefaultUnixDevices,
  withImageConfig,
  withProcessArgs,
  withRootfs,
  withUser,
} from '@nsbox/oci/runtime-spec'
import type { ContainerRequest } from './container-request.ts'
import { specOptionsOf } from './spec-options.ts'

/** What a spec is made for, and of. */
export interface SpecSources {
  readonly namespace: string
  /** The image, if the container is made of one. */
  readonly image?: ImageConfig | undefined
  /** The directory that is the root filesystem, absolute, unless the runtime mounts that. */
  readonly directory?: string | undefined
  /** Gives a reader of the root filesystem. */
  readonly withRootfs: <T>(use: (rootfs: RootfsReader) => Promise<T>) => Promise<T>
  readonly signal: AbortSignal
}

/**
 * The spec of a container that is to be made.
 *
 * @throws `invalid_argument` for what makes no sense; `not_found` for a user that the root filesystem does not have
 */
export async function containerSpec(request: ContainerRequest, sources: SpecSources): Promise<Spec> {
  const { flags, id, args } = request
  const { namespace, signal } = sources
  const wishes = await specOptionsOf(flags, { signal })
  if (flags.config !== undefined) {
    const base = parseSpec(await readFile(flags.config, { signal }))
    return buildSpec(base, [...wishes, ...(await userOptions(request, sources))])
  }
  const { directory, image } = sources
  return buildSpec(defaultSpec({ namespace, id }), [
    withDefaultUnixDevices(),
    ...(directory === undefined ? [] : [withRootfs(directory)]),
    ...(image ? [withImageConfig(image.config, { user: { uid: 0, gid: 0 } })] : []),
    ...(args.length > 0 ? [withProcessArgs(args)] : []),
    ...wishes,
    ...(await userOptions(request, sources)),
  ])
}

/** The user of the process: by the flags, else by the image. A spec from a directory or a file alone keeps its user. */
async function userOptions(
  { flags }: ContainerRequest,
  { image, withRootfs: look, signal }: SpecSources,
): Promise<SpecOption[]> {
  const name = flags.user ?? (image ? (image.config.user ?? '') : undefined)
  if (name === undefined) return []
  return [withUser(await look((rootfs) => resolveUser(name, rootfs, { signal })))]
}
