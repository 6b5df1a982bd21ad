import { outputFiles, readOnly } from '@nsbox/bundle'
import type { Mount } from '@nsbox/core/snapshots'
import type { GivenPaths, OpaqueValue, ProcessIo } from '@nsbox/core/tasks'
import type { CheckpointRequest } from '../options/checkpoint-request.ts'
import { taskOptions } from '../options/task-options.ts'

/** The paths that a new task gets before there is a bundle: root filesystem, output, directories of its options. */
export function pathsBeforeBundle({
  rootfs,
  io,
  options,
  changesMounts,
}: {
  readonly rootfs: readonly Mount[]
  readonly io: ProcessIo
  readonly options: OpaqueValue | undefined
  readonly changesMounts: boolean
}): GivenPaths {
  const { root, criuImagePath, criuWorkPath } = taskOptions(options)
  const images = criuImagePath === undefined ? [] : [readOnly(criuImagePath)]
  return {
    mounts: [...rootfs, ...images],
    changeable: changesMounts,
    files: outputFiles(io),
    directories: [root, criuWorkPath].filter((path) => path !== undefined),
  }
}

/** The paths that a checkpoint writes to and the client has named. */
export function pathsOfCheckpoint({ imagePath, workPath }: CheckpointRequest): GivenPaths {
  return { mounts: [], directories: [imagePath, workPath].filter((path) => path !== undefined) }
}
