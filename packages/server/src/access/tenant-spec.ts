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

/** Most fields that an error names; a hostile spec could have any number. */
const maxNamed = 8

/** Most bytes of a tenant's spec, process or limits: checking it blocks the event loop. */
const maxBytes = 256 * 1024

/**
 * Refuses a spec that would give a tenant's container anything of the host: what a restored container of unknown origin
 * must not have (`hostAccess`), and what only an attacker would ask for.
 *
 * @param id the container's
 * @throws `invalid_argument` for a malformed spec; `permission_denied`, naming the fields
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
    // Without a path the runtime uses one that is named after the container alone.
    ...(spec.linux?.cgroupsPath === cgroup ? [] : [`linux.cgroupsPath other than ${cgroup}`]),
  ])
}

/** As `admitSpec`, for a further process in a tenant's container. */
export function admitProcess({ value }: OpaqueValue): void {
  const process = parseProcess(bounded('process', value))
  validateProcess(process, 'process')
  refuse('a process', [...processAccess(process), ...ofProcess(process)])
}

/** As `admitSpec`, for new limits of a tenant's task. */
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

/** The most that a process may get of these resource limits, in bytes or numbers; others are not bounded. */
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

/** Kernel settings of a network or IPC namespace. */
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

/** Files of a cgroup that limit it. Others would favour it over all others. */
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
