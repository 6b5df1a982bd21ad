import { join } from 'node:path'

/** The OCI runtime program, and its options for every command. */
export interface RuncOptions {
  /** A path, or a name to look for in the search path; `runc` by default. */
  readonly binary?: string | undefined
  /** Directory of the runtime's state; the runtime's own default if absent. */
  readonly root?: string | undefined
  /** Whether systemd makes the cgroups; false by default. */
  readonly systemdCgroup?: boolean | undefined
  /**
   * The container's bundle, in which the program is run and writes its errors to `log.json`, as with containerd's shim
   * (docs/behaviour.md §14). Without one it runs in the directory of this process, and has no log.
   */
  readonly bundle?: string | undefined
  /** The program that makes and restores checkpoints; `criu` in the search path by default. */
  readonly criu?: string | undefined
}

/** How to wait for a command. */
export interface CommandOptions {
  readonly signal?: AbortSignal | undefined
  /**
   * Milliseconds until the command is killed, which leaves the container in an unknown state; each command has its own
   * default.
   */
  readonly timeout?: number | undefined
}

/** Where the program writes its errors; undefined if it has no bundle. */
export function logOf({ bundle }: RuncOptions): string | undefined {
  return bundle === undefined ? undefined : join(bundle, 'log.json')
}

/** The arguments before every command. @param log that of the options by default */
export function globalArguments(options: RuncOptions, log = logOf(options)): string[] {
  const { root, systemdCgroup = false, criu } = options
  return [
    ...(root === undefined ? [] : ['--root', root]),
    ...(log === undefined ? [] : ['--log', log]),
    '--log-format',
    'json',
    ...(systemdCgroup ? ['--systemd-cgroup'] : []),
    ...(criu === undefined ? [] : ['--criu', criu]),
  ]
}
