import type { OpaqueValue } from '@nsbox/core/tasks'
import { NsboxError } from '@nsbox/errors'
import {
  hostAccess,
  type Integer,
  type Process,
  parseProcess,
  parseResources,
  parseSpec,
  processAccess,
  type Resources,
  resourcesAccess,
  type Spec,
  validateProcess,
  validateResources,
  validateSpec,
} from '@nsbox/oci/runtime-spec'

/** How many things an error names; a hostile spec could have any number. */
const maxNamed = 8

/** Most bytes of a tenant's spec, process or limits: it is looked at in one go, several times, while everybody waits. */
const maxBytes = 256 * 1024

/**
 * Refuses a spec of a tenant's container by which it would have anything of the host: all that a restored container of
 * unknown origin must not have (`hostAccess`), and what only somebody who means harm would ask for.
 *
 * @param id the container's
 * @throws `invalid_argument` for what is no spec; `permission_denied`, naming the fields
 */
export function admitSpec(
  { value }: OpaqueValue,
  { namespace, id }: { namespace: string; id: string },
): void {
  const spec = parseSpec(bounded('spec', value))
  validateSpec(spec)
  const cgroup = `/${namespace}/${id}`
  refuse('a spec', [
    ...hostAccess(spec),
    ...ofProcess(spec.process),
    ...ofLinux(spec),
    // Without a path the runtime takes one that is called after the container alone.
    ...(spec.linux?.cgroupsPath === cgroup ? [] : [`linux.cgroupsPath other than ${cgroup}`]),
  ])
}

/** As `admitSpec`, of one more process that is to run in a tenant's container. */
export function admitProcess({ value }: OpaqueValue): void {
  const process = parseProcess(bounded('process', value))
  validateProcess(process, 'process')
  refuse('a process', [...processAccess(process), ...ofProcess(process)])
}

/** As `admitSpec`, of the limits that a tenant's task is to have from now on. */
export function admitResources({ value }: OpaqueValue): void {
  const resources = parseResources(bounded('resources', value))
  validateResources(resources, 'resources')
  refuse('limits', [...resourcesAccess(resources), ...ofResources(resources)])
}

function bounded(what: string, value: Uint8Array): Uint8Array {
  if (value.byteLength <= maxBytes) return value
  throw new NsboxError('invalid_argument', `${what} of a tenant: more than ${maxBytes} bytes`)
}

function refuse(what: string, fields: readonly string[]): void {
  if (fields.length === 0) return
  const named = fields.slice(0, maxNamed).map((each) => each.slice(0, 200))
  const others = fields.length > maxNamed ? ` and ${fields.length - maxNamed} more` : ''
  throw new NsboxError('permission_denied', `${what} of a tenant with ${named.join(', ')}${others}`)
}

/**
 * The most of what a process may be given beyond what every process has anyway; of the rest it may have all there is. Bytes
 * and numbers.
 */
const highestLimits: ReadonlyMap<string, bigint> = new Map([
  ['RLIMIT_MEMLOCK', 64n << 20n],
  ['RLIMIT_MSGQUEUE', 819_200n],
  ['RLIMIT_NICE', 0n],
  ['RLIMIT_NOFILE', 1n << 20n],
  ['RLIMIT_RTPRIO', 0n],
  ['RLIMIT_SIGPENDING', 1n << 17n],
])
const otherLimits = ['AS', 'CORE', 'CPU', 'DATA', 'FSIZE', 'LOCKS', 'NPROC', 'RSS', 'RTTIME', 'STACK']

function ofProcess(process: Process | undefined): string[] {
  const { noNewPrivileges = false, apparmorProfile, rlimits = [] } = process ?? {}
  return [
    ...(noNewPrivileges ? [] : ['process.noNewPrivileges other than true']),
    ...(apparmorProfile ? ['process.apparmorProfile'] : []),
    ...rlimits.flatMap(({ type, hard }) =>
      isBounded(type, hard) ? [] : [`process.rlimits ${type} ${hard}`],
    ),
  ]
}

function isBounded(type: string, hard: Integer): boolean {
  const highest = highestLimits.get(type)
  return highest === undefined ? otherLimits.includes(type.slice('RLIMIT_'.length)) : hard <= highest
}

const ownNamespaces: readonly string[] = ['pid', 'ipc', 'uts', 'mount', 'network', 'cgroup']

/** Settings of the kernel that each network or IPC namespace has for itself. */
const ownSettings =
  /^(?:net\.[a-zA-Z0-9_.-]+|fs\.mqueue\.[a-z_]+|kernel\.(?:msgmax|msgmnb|msgmni|sem|shmall|shmmax|shmmni|shm_rmid_forced))$/

function ofLinux({ linux = {}, mounts = [] }: Spec): string[] {
  const { namespaces = [], uidMappings = [], gidMappings = [], sysctl = {}, resources = {} } = linux
  const showsCgroups = mounts.some(({ type }) => type === 'cgroup')
  return [
    ...namespaces.flatMap(({ type }) => (ownNamespaces.includes(type) ? [] : [`linux.namespaces ${type}`])),
    ...(showsCgroups && !namespaces.some(({ type }) => type === 'cgroup')
      ? ['linux.namespaces without cgroup, which is mounted']
      : []),
    ...(uidMappings.length + gidMappings.length > 0 ? ['linux.uidMappings or linux.gidMappings'] : []),
    ...Object.keys(sysctl)
      .filter((key) => !ownSettings.test(key))
      .map((key) => `linux.sysctl ${key}`),
    ...ofResources(resources),
  ]
}

/** Files of a cgroup that hold it down. Others would hold it up at the expense of everybody else. */
const limitingFiles = [
  'cpu.max',
  'cpu.weight',
  'io.max',
  'memory.high',
  'memory.max',
  'memory.swap.max',
  'pids.max',
]

function ofResources({ memory = {}, cpu = {}, unified = {} }: Resources): string[] {
  const { reservation, disableOOMKiller } = memory
  const { realtimeRuntime, realtimePeriod } = cpu
  return [
    ...(isSet(reservation) ? ['resources.memory.reservation'] : []),
    ...(disableOOMKiller ? ['resources.memory.disableOOMKiller'] : []),
    ...(isSet(realtimeRuntime) || isSet(realtimePeriod) ? ['resources.cpu.realtimeRuntime'] : []),
    ...Object.keys(unified)
      .filter((file) => !limitingFiles.includes(file))
      .map((file) => `resources.unified ${file}`),
  ]
}

const isSet = (value: Integer | undefined) => value !== undefined && BigInt(value) !== 0n
