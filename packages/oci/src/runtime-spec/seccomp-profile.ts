import { NsboxError, quoted } from '@nsbox/errors'
import { defaultPlatform } from '../platform.ts'
import type { Seccomp, SeccompRule } from './seccomp.ts'
import { callArchitectures, callsByCapability, ordinaryCalls } from './seccomp-calls.ts'
import { changeLinux, type SpecOption } from './spec-option.ts'

export interface SeccompProfileOptions {
  /** The capabilities that the container's processes can have. */
  readonly capabilities: readonly string[]
  /** In the form of GOARCH; this process's by default. */
  readonly architecture?: string
}

const EPERM = 1
const ENOSYS = 38

// linux/sched.h: NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET. unshare(2) also has NEWTIME, whose bit is a
// part of the signal in the flags of clone(2).
const cloneNamespaces = 0x7e020000
const unshareNamespaces = 0x7e020080

// AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, AF_PACKET. Others include AF_ALG, by which the page cache of files could be
// changed without permission to write them (CVE-2026-31431), AF_VSOCK, which leads to the hypervisor, and hardly
// maintained protocols that are loaded on demand. All 64 bits are compared: the kernel reads 32 of them, so a condition
// "not AF_ALG" would also hold for a number that the kernel reads as AF_ALG.
const families = [1, 2, 10, 16, 17]

// Allowed arguments of personality(2): Linux, 32-bit Linux, both with the version numbers of 2.6, and the query.
const personalities = [0, 8, 0x20000, 0x20008, 0xffffffff]

/**
 * The default filter of a container's system calls. All other calls fail with EPERM, `clone3` with ENOSYS, so that the
 * C library falls back to `clone`, whose flags a filter sees. Denied above all: io_uring, sockets of AF_ALG and
 * AF_VSOCK, new namespaces, and calls that need a capability that the container lacks.
 *
 * `socketcall`, by which old programs for 386 use the network, passes its arguments in memory, where a filter cannot
 * see AF_ALG; so it fails with ENOSYS.
 *
 * @throws `invalid_argument` for an architecture without a profile
 */
export function defaultSeccompProfile(options: SeccompProfileOptions): Seccomp {
  const architecture = options.architecture ?? defaultPlatform().architecture
  const found = Object.hasOwn(callArchitectures, architecture) ? callArchitectures[architecture] : undefined
  if (found === undefined)
    throw new NsboxError('invalid_argument', `seccomp profile for architecture ${quoted(architecture)}`)
  const capable = Object.keys(callsByCapability).filter((name) => options.capabilities.includes(name))
  const privileged = new Set(capable.flatMap((name) => callsByCapability[name]!))
  const flags = architecture === 's390x' ? 1 : 0
  const byArgument: SeccompRule[] = [
    ...families.map((value) => allowIf('socket', value)),
    ...personalities.map((value) => allowIf('personality', value)),
  ]
  const namespaces: SeccompRule[] = privileged.has('clone')
    ? []
    : [
        allow(['clone'], [{ index: flags, value: cloneNamespaces, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }]),
        allow(['unshare'], [{ index: 0, value: unshareNamespaces, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }]),
        { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: ENOSYS },
      ]
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: EPERM,
    architectures: [...found.names],
    syscalls: [
      // First, and with another errno than the default: from the rules for `socket` and similar calls libseccomp makes
      // rules that allow socketcall for any family, unless one without conditions exists already, and runc leaves out
      // rules with the default action.
      { names: ['socketcall'], action: 'SCMP_ACT_ERRNO', errnoRet: ENOSYS },
      allow([...ordinaryCalls, ...found.calls]),
      ...byArgument,
      ...namespaces,
      ...(privileged.size > 0 ? [allow([...privileged])] : []),
    ],
  }
}

/** Filters system calls by this profile; `undefined` removes the filter. */
export function withSeccomp(profile: Seccomp | undefined): SpecOption {
  return (spec) =>
    changeLinux(spec, ({ seccomp: _, ...linux }) => (profile ? { ...linux, seccomp: profile } : linux))
}

/** Filters system calls by `defaultSeccompProfile` for the capabilities of the spec; must come after their options. */
export function withDefaultSeccomp(options: Pick<SeccompProfileOptions, 'architecture'> = {}): SpecOption {
  return (spec) => {
    const capabilities = spec.process?.capabilities?.bounding ?? []
    return withSeccomp(defaultSeccompProfile({ ...options, capabilities }))(spec)
  }
}

function allow(names: readonly string[], args?: SeccompRule['args']): SeccompRule {
  return { names, action: 'SCMP_ACT_ALLOW', ...(args && { args }) }
}

function allowIf(name: string, value: number): SeccompRule {
  return allow([name], [{ index: 0, value, op: 'SCMP_CMP_EQ' }])
}
