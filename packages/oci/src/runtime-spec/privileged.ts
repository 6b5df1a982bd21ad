import { withCapabilities } from './capability-options.ts'
import { changeLinux, changeProcess, type SpecOption } from './spec-option.ts'

/**
 * Makes a container privileged: capabilities as given, nothing masked or read-only in `/proc` and `/sys`, no filter of
 * system calls, no AppArmor profile. As with stock `ctr`, devices have an option of their own (`withAllDevices`), and
 * programs still gain no privileges by set-user-ID bits.
 *
 * @param capabilities usually all that the daemon has; see `hostCapabilities`
 */
export function withPrivileged({ capabilities }: { readonly capabilities: readonly string[] }): SpecOption {
  const capable = withCapabilities(capabilities)
  return (spec) => {
    const unconfined = changeProcess(
      capable(spec),
      ({ apparmorProfile: _, selinuxLabel: __, ...process }) => process,
    )
    const open = changeLinux(
      unconfined,
      ({ maskedPaths: _, readonlyPaths: __, seccomp: ___, ...linux }) => linux,
    )
    return {
      ...open,
      mounts: open.mounts?.map((mount) =>
        mount.type === 'sysfs' || mount.type === 'cgroup'
          ? { ...mount, options: mount.options?.map((option) => (option === 'ro' ? 'rw' : option)) }
          : mount,
      ),
    }
  }
}
