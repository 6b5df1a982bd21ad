import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type Bundle, type ImageDirectories, readBundleSpec } from '@nsbox/bundle'
import type { RuntimeTaskOptions } from '@nsbox/core/tasks'
import { fromSystemError, isErrno, NsboxError } from '@nsbox/errors'
import { removeTree } from '@nsbox/trees'
import { taskOptions } from '../options/task-options.ts'
import { requireHostRoot } from '../rootless/host-limits.ts'
import { requireCriu } from '../runc/require-criu.ts'
import { checkStandardDescriptors } from '../runc-internals/standard-descriptors.ts'

const specType = 'types.containerd.io/opencontainers/runtime-spec/1/Spec'

/** The images that a task is restored from; part of its record. */
export interface RestoreSource {
  /** The directory with CRIU's images. */
  readonly images: string
  /** Whether it belongs to the runtime, which removes it when it is not needed any more, or to the user. */
  readonly owned: boolean
  /** Directory of CRIU's log; in the bundle if absent. */
  readonly workPath?: string | undefined
  /** Hostname to set in its UTS namespace; absent for that of the images. */
  readonly hostname?: string | undefined
  /** Types of namespaces that must be its own. */
  readonly namespaces: readonly string[]
  /** Path of its own cgroup, in every hierarchy; absent where it is not known before. */
  readonly cgroup?: string | undefined
}

/**
 * The images that a new task is restored from, if any: those that the options name (`criu_image_path`), or else those
 * that the caller writes. As with containerd, the options take precedence; the caller then writes nothing.
 *
 * @param directories for images that the caller writes
 * @throws `not_found` and `invalid_argument` with the name of a directory without images; `unimplemented` if the host
 * lacks CRIU
 */
export async function restoreSource(
  directories: ImageDirectories,
  { options, spec, restore, signal }: RuntimeTaskOptions,
): Promise<RestoreSource | undefined> {
  const { criuImagePath, criuWorkPath: workPath } = taskOptions(options)
  if (criuImagePath === undefined && restore === undefined) return undefined
  requireHostRoot('a checkpoint')
  requireCriu()
  const { hostname, cgroup, ownNamespaces: namespaces } = await readBundleSpec(spec)
  const wanted = { workPath, hostname, namespaces, cgroup }
  if (criuImagePath !== undefined) {
    await checkImages(criuImagePath)
    return { images: criuImagePath, owned: false, ...wanted }
  }
  const { path: images } = await directories.create()
  const source = { images, owned: true, ...wanted }
  try {
    await restore!(images, { signal })
    await checkStandardDescriptors(images)
    await checkImages(images)
    return source
  } catch (error) {
    await discardImages(source)
    throw error
  }
}

/**
 * The images of a record, with what the first programs that restored tasks left out of it. They took the same from the
 * spec, which is in the bundle.
 */
export async function storedSource(
  stored: Omit<RestoreSource, 'namespaces'> & Partial<RestoreSource>,
  bundle: Bundle,
): Promise<RestoreSource> {
  const { namespaces } = stored
  if (namespaces !== undefined) return { ...stored, namespaces }
  const { cgroup, ownNamespaces } = await readBundleSpec({
    typeUrl: specType,
    value: await readFile(bundle.config),
  })
  return { ...stored, cgroup, namespaces: ownNamespaces }
}

/** Removes images that belong to the runtime; those of a user stay. */
export async function discardImages(source: RestoreSource | undefined): Promise<void> {
  if (source?.owned === true) await removeTree(source.images)
}

async function checkImages(directory: string): Promise<void> {
  const context = `images of a checkpoint in ${JSON.stringify(directory)}`
  try {
    if (!(await stat(directory)).isDirectory())
      throw new NsboxError('invalid_argument', `${context}: not a directory`)
  } catch (error) {
    throw fromSystemError(error, context)
  }
  try {
    if ((await stat(join(directory, 'inventory.img'))).isFile()) return
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw fromSystemError(error, context)
  }
  throw new NsboxError('invalid_argument', `${context}: it has no inventory.img`)
}
