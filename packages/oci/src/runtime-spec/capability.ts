import { NsboxError, quoted } from '@nsbox/errors'

/** The capabilities of Linux, each at the place of its number (linux/capability.h, Linux 5.9 and later). */
export const capabilityNames = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_DAC_READ_SEARCH',
  'CAP_FOWNER',
  'CAP_FSETID',
  'CAP_KILL',
  'CAP_SETGID',
  'CAP_SETUID',
  'CAP_SETPCAP',
  'CAP_LINUX_IMMUTABLE',
  'CAP_NET_BIND_SERVICE',
  'CAP_NET_BROADCAST',
  'CAP_NET_ADMIN',
  'CAP_NET_RAW',
  'CAP_IPC_LOCK',
  'CAP_IPC_OWNER',
  'CAP_SYS_MODULE',
  'CAP_SYS_RAWIO',
  'CAP_SYS_CHROOT',
  'CAP_SYS_PTRACE',
  'CAP_SYS_PACCT',
  'CAP_SYS_ADMIN',
  'CAP_SYS_BOOT',
  'CAP_SYS_NICE',
  'CAP_SYS_RESOURCE',
  'CAP_SYS_TIME',
  'CAP_SYS_TTY_CONFIG',
  'CAP_MKNOD',
  'CAP_LEASE',
  'CAP_AUDIT_WRITE',
  'CAP_AUDIT_CONTROL',
  'CAP_SETFCAP',
  'CAP_MAC_OVERRIDE',
  'CAP_MAC_ADMIN',
  'CAP_SYSLOG',
  'CAP_WAKE_ALARM',
  'CAP_BLOCK_SUSPEND',
  'CAP_AUDIT_READ',
  'CAP_PERFMON',
  'CAP_BPF',
  'CAP_CHECKPOINT_RESTORE',
] as const

/** The default capabilities of a container's processes, in the order of stock `ctr`. */
export const defaultCapabilities: readonly string[] = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_FSETID',
  'CAP_FOWNER',
  'CAP_MKNOD',
  'CAP_NET_RAW',
  'CAP_SETGID',
  'CAP_SETUID',
  'CAP_SETFCAP',
  'CAP_SETPCAP',
  'CAP_NET_BIND_SERVICE',
  'CAP_SYS_CHROOT',
  'CAP_KILL',
  'CAP_AUDIT_WRITE',
]

const known: ReadonlySet<string> = new Set(capabilityNames)

/** @throws `invalid_argument` for a name that is not one of `capabilityNames`, spelled like them */
export function assertCapability(name: string): void {
  if (known.has(name)) return
  const why = known.has(`CAP_${name.toUpperCase()}`) ? "is spelled with the prefix 'CAP_'" : 'is not known'
  throw new NsboxError('invalid_argument', `capability ${quoted(name)} ${why}`)
}

/**
 * The capabilities in a set in the form of `/proc/<pid>/status`: `000001ffffffffff`. Unknown bits are ignored.
 *
 * @throws `invalid_argument`
 */
export function parseCapabilityMask(hex: string): string[] {
  if (!/^[0-9a-f]{1,16}$/i.test(hex))
    throw new NsboxError('invalid_argument', `capability mask ${quoted(hex)}: not a hexadecimal number`)
  const mask = BigInt(`0x${hex}`)
  return capabilityNames.filter((_, number) => (mask >> BigInt(number)) & 1n)
}
