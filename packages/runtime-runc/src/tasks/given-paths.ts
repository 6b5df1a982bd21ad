import { outputFiles, readOnly } from '@nsbox/bundle'
import type { Mount } from '@nsbox/core/snapshots'
import type { GivenPaths, OpaqueValue, ProcessIo } from '@nsbox/core/tasks'
import type { CheckpointRequest } from '../options/checkpoint-request.ts'
import { taskOptions } from '../options/task-options.ts'

/** What a new task is given before there is a bundle: its root file system, its output, directories of its options. */
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

/** What a checkpoint writes to, where the client has said it. */
export function pathsOfCheckpoint({ imagePath, workPath }: CheckpointRequest): GivenPaths {
  return { mounts: [], directories: [imagePath, workPath].filter((path) => path !== undefined) }
}
