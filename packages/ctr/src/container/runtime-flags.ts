import type { Command } from 'commander'

/** Which runtime runs tasks, and how. */
export interface RuntimeFlags {
  readonly runcBinary?: string
  readonly runcRoot?: string
  readonly runcSystemdCgroup?: boolean
  readonly runtime: string
  readonly runtimeConfigPath?: string
}

/** Adds the options that choose a runtime. */
export function addRuntimeFlags(command: Command): Command {
  return command
    .option('--runtime <name>', 'runtime', 'io.containerd.runc.v2')
    .option('--runtime-config-path <file>', 'configuration of a runtime other than runc')
    .option('--runc-binary <program>', 'runc, or a program that is like it')
    .option('--runc-root <directory>', 'where runc keeps its state')
    .option('--runc-systemd-cgroup', 'let runc make cgroups by systemd')
}
