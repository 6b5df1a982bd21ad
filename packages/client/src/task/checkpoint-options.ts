import { packAny } from '@nsbox/api'
import { CheckpointOptionsSchema } from '@nsbox/api/gen/types/runc/options/oci_pb'
import type { AbortOptions } from '@nsbox/core/content'
import type { OpaqueValue } from '@nsbox/core/tasks'

/** How to dump the memory of a task, for runc and CRIU (`containerd.runc.v1.CheckpointOptions`). */
export interface CheckpointTaskOptions extends AbortOptions {
  /** End the task after the dump; it goes on by default. */
  readonly exit?: boolean | undefined
  /** Include open TCP connections; they are refused by default. */
  readonly openTcp?: boolean | undefined
  /** Include Unix sockets whose other end is a process outside the container; they are refused by default. */
  readonly externalUnixSockets?: boolean | undefined
  /** Include a terminal that belongs to a process outside the container; not needed for the container's own. */
  readonly terminal?: boolean | undefined
  /** Include file locks; so by default. */
  readonly fileLocks?: boolean | undefined
  /** Kinds of namespaces, such as `network`, whose contents are left out. */
  readonly emptyNamespaces?: readonly string[] | undefined
  /** How cgroups are dumped (criu(8), `--manage-cgroups`); the runtime decides by default. */
  readonly cgroupsMode?: 'soft' | 'full' | 'strict' | 'ignore' | undefined
  /** A directory of the server's host for the images, in place of the content store. */
  readonly imagePath?: string | undefined
  /** A directory of the server's host for the logs of CRIU. */
  readonly workPath?: string | undefined
  /** Digest of an earlier checkpoint, to which this one adds. */
  readonly parent?: string | undefined
}

/** The options for a request. */
export function checkpointOptions(options: CheckpointTaskOptions): OpaqueValue {
  const { exit = false, openTcp = false, externalUnixSockets = false, terminal = false } = options
  const { fileLocks = true, emptyNamespaces = [], cgroupsMode = '' } = options
  const { imagePath = '', workPath = '' } = options
  return packAny(CheckpointOptionsSchema, {
    ...{ exit, openTcp, externalUnixSockets, terminal, fileLocks, cgroupsMode, imagePath, workPath },
    emptyNamespaces: [...emptyNamespaces],
  })
}
