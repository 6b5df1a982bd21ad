import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type ImageDirectories, readBundleSpec } from '@nsbox/bundle'
import type { RuntimeTaskOptions } from '@nsbox/core/tasks'
import { fromSystemError, isErrno, NsboxError } from '@nsbox/errors'
import { removeTree } from '@nsbox/trees'
import { taskOptions } from '../options/task-options.ts'
import { requireCriu } from '../runc/require-criu.ts'
import { checkStandardDescriptors } from '../runc-internals/standard-descriptors.ts'

/** What a task goes on from; part of its record. */
export interface RestoreSource {
  /** The directory with CRIU's images. */
  readonly images: string
  /** Whether it is the runtime's, to be removed when it is not needed any more, or its user's. */
  readonly owned: boolean
  /** Where CRIU writes its log; in the bundle if absent. */
  readonly workPath?: string | undefined
  /** What the host is called in its UTS namespace from then on; absent for what the images say. */
  readonly hostname?: string | undefined
  /** Types of namespaces that are to be its own. */
  readonly namespaces: readonly string[]
  /** The cgroup that is to be its own, in every hierarchy; absent where that is not known before. */
  readonly cgroup?: string | undefined
}

/**
 * What a new task is to go on from, if it is to: images that the options name (`criu_image_path`), or else those that
 * the caller writes. As with containerd, the options count where there are both, and the caller is not asked for
 * anything.
 *
 * @param directories where one is made for what the caller writes
 * @throws `not_found` and `invalid_argument` with the name of a directory that has no images; `unimplemented` if the
 * host lacks CRIU
 */
export async function restoreSource(
  directories: ImageDirectories,
  { options, spec, restore, signal }: RuntimeTaskOptions,
): Promise<RestoreSource | undefined> {
  const { criuImagePath, criuWorkPath: workPath } = taskOptions(options)
  if (criuImagePath === undefined && restore === undefined) return undefined
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

/** Removes images that are the runtime's, as far as there are any; a user's stay. */
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
