/** Which OCI runtime program to run, and what it is told at every call. */
export interface RuncOptions {
  /** A path, or a name to look for in the search path; `runc` by default. */
  readonly binary?: string | undefined
  /** Where the runtime keeps what it knows of its containers; its own default if absent. */
  readonly root?: string | undefined
  /** Whether systemd makes the cgroups; false by default. */
  readonly systemdCgroup?: boolean | undefined
  /** The program that makes and reads checkpoints; `criu` in the search path by default. */
  readonly criu?: string | undefined
}

/** How to wait for a command. */
export interface CommandOptions {
  readonly signal?: AbortSignal | undefined
  /**
   * Milliseconds until the command is killed, which leaves the container in a state that only its runtime knows; each
   * command has a default of its own.
   */
  readonly timeout?: number | undefined
}

/** The arguments that precede every command. */
export function globalArguments(options: RuncOptions, log?: string): string[] {
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
