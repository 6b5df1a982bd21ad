import { checkContainerId } from './container-id.ts'
import { type OptionValues, optionArguments } from './option-arguments.ts'
import { globalArguments, type RuncOptions } from './runc-options.ts'

/**
 * Options of every launch. The future parent of the container's process must run the command itself, so only its
 * arguments are made here. The process inherits the command's standard input and outputs, so the runtime logs to a
 * file, which `launchError` reads.
 */
export interface LaunchOptions {
  /** A path for the runtime's errors; each launch at one time needs its own. */
  readonly log: string
  /** A path for the pid on the host. */
  readonly pidFile: string
  /** A socket that takes the master end of the process's terminal; required if it has one, refused by runc if not. */
  readonly consoleSocket?: string | undefined
}

export interface CreateOptions extends LaunchOptions {
  /** The directory with `config.json`. */
  readonly bundle: string
  /** Whether to change the root by moving a mount, for roots on a RAM disk; false by default. */
  readonly noPivotRoot?: boolean | undefined
  /** Whether the container shares the caller's session keyring; false by default. */
  readonly noNewKeyring?: boolean | undefined
}

export interface ExecOptions extends LaunchOptions {
  /** A file with the OCI process as JSON. */
  readonly process: string
}

export interface RestoreOptions extends LaunchOptions {
  /** The directory with `config.json`. */
  readonly bundle: string
  /** The directory with CRIU's images. */
  readonly imagePath: string
  /** Directory of CRIU's log and temporary files; the runtime's own choice if absent. */
  readonly workPath?: string | undefined
  readonly noPivotRoot?: boolean | undefined
  readonly tcpEstablished?: boolean | undefined
  readonly externalUnixSockets?: boolean | undefined
  /** Whether processes of a shell's session are allowed; needed for those with a terminal. */
  readonly shellJob?: boolean | undefined
  readonly fileLocks?: boolean | undefined
  readonly cgroupsMode?: CgroupsMode | undefined
  /** Kinds of namespaces that are made anew instead of restored, such as `network`. */
  readonly emptyNamespaces?: readonly string[] | undefined
  /** Whether the images are deduplicated while they are read. */
  readonly autoDedup?: boolean | undefined
  /** `TYPE:NAME` of a security profile to restore with. */
  readonly lsmProfile?: string | undefined
  readonly lsmMountContext?: string | undefined
}

/** How CRIU restores properties of cgroups; `soft` is its default. */
export type CgroupsMode = 'soft' | 'full' | 'strict' | 'ignore'

/**
 * Makes a container whose process waits for `start`. @throws invalid_argument for an id that the runtime could misread
 */
export function createArguments(runtime: RuncOptions, id: string, options: CreateOptions): string[] {
  const { bundle, noPivotRoot, noNewKeyring } = options
  return launch('create', runtime, id, options, {
    bundle,
    'no-pivot': noPivotRoot,
    'no-new-keyring': noNewKeyring,
  })
}

/** Starts another process in a container. @throws as `createArguments` */
export function execArguments(runtime: RuncOptions, id: string, options: ExecOptions): string[] {
  return launch('exec', runtime, id, options, { detach: true, process: options.process })
}

/** Makes a container from a checkpoint, whose processes go on. @throws as `createArguments` */
export function restoreArguments(runtime: RuncOptions, id: string, options: RestoreOptions): string[] {
  return launch('restore', runtime, id, options, {
    detach: true,
    // The restored process must become the child of the launcher, not of the command.
    'no-subreaper': true,
    bundle: options.bundle,
    'image-path': options.imagePath,
    'work-path': options.workPath,
    'no-pivot': options.noPivotRoot,
    'tcp-established': options.tcpEstablished,
    'ext-unix-sk': options.externalUnixSockets,
    'shell-job': options.shellJob,
    'file-locks': options.fileLocks,
    'manage-cgroups-mode': options.cgroupsMode,
    'empty-ns': options.emptyNamespaces,
    'auto-dedup': options.autoDedup,
    'lsm-profile': options.lsmProfile,
    'lsm-mount-context': options.lsmMountContext,
  })
}

function launch(
  command: 'create' | 'exec' | 'restore',
  runtime: RuncOptions,
  id: string,
  { log, pidFile, consoleSocket }: LaunchOptions,
  values: OptionValues,
): string[] {
  return [
    runtime.binary ?? 'runc',
    ...globalArguments(runtime, log),
    command,
    ...optionArguments({ ...values, 'pid-file': pidFile, 'console-socket': consoleSocket }),
    checkContainerId(id),
  ]
}
