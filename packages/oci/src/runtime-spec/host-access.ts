import { defaultSpec } from './default-spec.ts'
import { withDefaultUnixDevices } from './device-options.ts'
import type { Linux } from './linux.ts'
import { capabilitySets, type Process } from './process.ts'
import type { DeviceRule, Resources } from './resources.ts'
import type { Mount, Spec } from './spec.ts'

/**
 * Lists what a spec gives a container of its host, beyond what a default container has: the names of the fields with
 * their values. If the list is empty, a spec of an untrusted author can be run. Unknown fields are listed, since they
 * could mean anything to a runtime.
 *
 * Limits, and what only concerns the container's own namespaces, are not listed.
 *
 * @param spec one that `parseSpec` and `validateSpec` have accepted
 */
export function hostAccess(spec: Spec): string[] {
  const { process, root, mounts = [], hooks = {}, linux = {}, annotations = {} } = spec
  return [
    ...unknown(spec, knownSpec),
    ...(root?.path === 'rootfs' ? [] : [`root.path ${root?.path}`]),
    ...mounts.flatMap((mount, index) => (isOwn(mount) ? [] : [`mounts[${index}] at ${mount.destination}`])),
    ...Object.entries(hooks).flatMap(([point, list]) => (isEmpty(list) ? [] : [`hooks.${point}`])),
    // Annotations are instructions to runtimes and to programs that work with them.
    ...Object.keys(annotations).map((key) => `annotations ${key}`),
    ...(process ? ofProcess(process) : []),
    ...ofLinux(linux),
  ]
}

/** The known fields: `true` for any value and for maps with free keys; a list has one shape for all its entries. */
type Known = true | readonly [Known] | { readonly [name: string]: Known }

const mapping = [{ containerID: true, hostID: true, size: true }] as const
const throttle = [{ major: true, minor: true, rate: true }] as const

const knownProcess = {
  terminal: true,
  consoleSize: { height: true, width: true },
  user: { uid: true, gid: true, umask: true, additionalGids: true },
  ...{ args: true, env: true, cwd: true },
  capabilities: { bounding: true, effective: true, inheritable: true, permitted: true, ambient: true },
  rlimits: [{ type: true, hard: true, soft: true }],
  ...{ noNewPrivileges: true, apparmorProfile: true, oomScoreAdj: true },
} as const satisfies Known

const knownResources = {
  devices: [{ allow: true, type: true, major: true, minor: true, access: true }],
  memory: {
    ...{ limit: true, reservation: true, swap: true, kernel: true, kernelTCP: true },
    ...{ swappiness: true, disableOOMKiller: true, useHierarchy: true, checkBeforeUpdate: true },
  },
  cpu: {
    ...{ shares: true, quota: true, burst: true, period: true, realtimeRuntime: true, realtimePeriod: true },
    ...{ cpus: true, mems: true, idle: true },
  },
  pids: { limit: true },
  blockIO: {
    ...{ weight: true, leafWeight: true },
    weightDevice: [{ major: true, minor: true, weight: true, leafWeight: true }],
    ...{ throttleReadBpsDevice: throttle, throttleWriteBpsDevice: throttle },
    ...{ throttleReadIOPSDevice: throttle, throttleWriteIOPSDevice: throttle },
  },
  hugepageLimits: [{ pageSize: true, limit: true }],
  ...{ rdma: true, unified: true },
} as const satisfies Known

const knownSpec = {
  ociVersion: true,
  process: knownProcess,
  root: { path: true, readonly: true },
  ...{ hostname: true, domainname: true },
  mounts: [{ destination: true, type: true, source: true, options: true }],
  // Each of these is listed by itself.
  ...{ hooks: true, annotations: true },
  linux: {
    ...{ uidMappings: mapping, gidMappings: mapping },
    ...{ sysctl: true, resources: knownResources, cgroupsPath: true },
    namespaces: [{ type: true, path: true }],
    devices: true,
    seccomp: {
      ...{ defaultAction: true, defaultErrnoRet: true, architectures: true, flags: true },
      // Listed by itself.
      listenerPath: true,
      syscalls: [
        {
          ...{ names: true, action: true, errnoRet: true },
          args: [{ index: true, value: true, valueTwo: true, op: true }],
        },
      ],
    },
    ...{ rootfsPropagation: true, maskedPaths: true, readonlyPaths: true },
  },
} as const satisfies Known

/** Unknown fields with a value, at any depth. */
function unknown(value: unknown, known: Known, path = ''): string[] {
  if (known === true || typeof value !== 'object' || value === null) return []
  if (isList(known)) {
    const entries = Array.isArray(value) ? value : []
    return entries.flatMap((entry, index) => unknown(entry, known[0], `${path}[${index}]`))
  }
  return Object.entries(value).flatMap(([name, field]) => {
    const at = path === '' ? name : `${path}.${name}`
    if (isEmpty(field)) return []
    return Object.hasOwn(known, name) ? unknown(field, known[name]!, at) : [at]
  })
}

const isList = (known: Known): known is readonly [Known] => Array.isArray(known)

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === '' || value === false) return true
  return typeof value === 'object' && Object.keys(value).length === 0
}

/**
 * File systems that show only the container's own content, and where they may be mounted. A second /proc would hide
 * nothing.
 */
const places: ReadonlyMap<string, string | undefined> = new Map([
  ['proc', '/proc'],
  ['sysfs', '/sys'],
  ['cgroup', '/sys/fs/cgroup'],
  ['tmpfs', undefined],
  ['devpts', undefined],
  ['mqueue', undefined],
])

/**
 * Options that such a file system may have: none that makes another mount at the place, changes an existing one
 * (`remount`), or leads to another file system.
 */
const harmless = new Set([
  ...['ro', 'rw', 'nosuid', 'suid', 'nodev', 'noexec', 'exec', 'sync', 'async', 'dirsync', 'defaults'],
  ...['relatime', 'norelatime', 'strictatime', 'nostrictatime', 'noatime', 'atime', 'nodiratime', 'diratime'],
  ...['private', 'rprivate', 'slave', 'rslave', 'unbindable', 'runbindable'],
  ...['newinstance', 'tmpcopyup', 'nosymfollow', 'symfollow'],
])
const harmlessSetting = /^(?:size|nr_blocks|nr_inodes|mode|uid|gid|ptmxmode|max|huge|hidepid)=[0-9a-z%]+$/i

function isOwn({ type = '', destination, options = [] }: Mount): boolean {
  if (!places.has(type)) return false
  if (!options.every((option) => harmless.has(option) || harmlessSetting.test(option))) return false
  const place = places.get(type)
  if (place !== undefined && place !== destination) return false
  return (type !== 'sysfs' && type !== 'cgroup') || (options.includes('ro') && !options.includes('rw'))
}

/** As `hostAccess`, for a further process in a container. */
export function processAccess(process: Process): string[] {
  return [...unknown(process, knownProcess, 'process'), ...ofProcess(process)]
}

/** As `hostAccess`, for new limits of a container. If they name no devices, those stay as they are. */
export function resourcesAccess(resources: Resources): string[] {
  return [
    ...unknown(resources, knownResources, 'resources'),
    ...(resources.devices?.length ? ofDevices(resources.devices) : []),
    ...ofUnified(resources),
  ]
}

function ofProcess(process: Process): string[] {
  const { capabilities = {}, oomScoreAdj = 0 } = process
  const usual = new Set(ordinary.process?.capabilities?.bounding)
  const given = new Set(capabilitySets.flatMap((set) => capabilities[set] ?? []))
  return [
    ...[...given].filter((name) => !usual.has(name)).map((name) => `process.capabilities ${name}`),
    ...(oomScoreAdj < 0 ? [`process.oomScoreAdj ${oomScoreAdj}`] : []),
  ]
}

const ownNamespaces = ['pid', 'ipc', 'uts', 'mount', 'network']
const ownPropagation = ['', 'private', 'rprivate', 'slave', 'rslave', 'unbindable', 'runbindable']

function ofLinux(linux: Linux): string[] {
  const { namespaces = [], devices = [], seccomp, resources = {} } = linux
  const { rootfsPropagation = '', maskedPaths = [], readonlyPaths = [] } = linux
  const own = new Set(namespaces.flatMap(({ type, path }) => (path ? [] : [type as string])))
  const hidden = ordinary.linux?.maskedPaths?.filter((path) => !maskedPaths.includes(path)) ?? []
  const writable = ordinary.linux?.readonlyPaths?.filter(
    (path) => !readonlyPaths.includes(path) && !maskedPaths.includes(path),
  )
  return [
    ...ownNamespaces.filter((type) => !own.has(type)).map((type) => `linux.namespaces ${type} of the host`),
    ...namespaces.flatMap(({ type, path }) => (path ? [`linux.namespaces ${type} at ${path}`] : [])),
    ...devices.map(({ path }) => `linux.devices ${path}`),
    ...(seccomp?.listenerPath ? ['linux.seccomp.listenerPath'] : []),
    ...(ownPropagation.includes(rootfsPropagation) ? [] : [`linux.rootfsPropagation ${rootfsPropagation}`]),
    ...hidden.map((path) => `linux.maskedPaths without ${path}`),
    ...(writable ?? []).map((path) => `linux.readonlyPaths without ${path}`),
    ...ofDevices(resources.devices ?? []),
    ...ofUnified(resources),
  ]
}

function ofDevices([first, ...rules]: readonly DeviceRule[]): string[] {
  const deniesAll = first !== undefined && !first.allow && isAny(first) && (first.access ?? 'rwm') === 'rwm'
  const usual = new Set(ordinary.linux?.resources?.devices?.map(ruleKey))
  return [
    // The last matching rule decides, and without the first all devices are allowed.
    ...(deniesAll ? [] : ['linux.resources.devices do not begin with a rule that denies all']),
    ...rules
      .filter((rule) => rule.allow && !usual.has(ruleKey(rule)))
      .map((rule) => `linux.resources.devices ${ruleKey(rule)}`),
  ]
}

function ofUnified({ unified = {} }: Resources): string[] {
  const files = Object.keys(unified)
  return files.filter((file) => !limit.test(file)).map((file) => `linux.resources.unified ${file}`)
}

/** Files of a cgroup that are limits. Writing to others may affect any process of the host. */
const limit = /^(?:cpu|cpuset|hugetlb|io|memory|misc|pids|rdma)\.[a-zA-Z0-9_.]+$/

const isAny = ({ type = 'a', major = -1, minor = -1 }: DeviceRule) =>
  type === 'a' && major === -1 && minor === -1

const ruleKey = ({ type = 'a', major, minor, access = 'rwm' }: DeviceRule) =>
  `${type} ${major ?? '*'}:${minor ?? '*'} ${access}`

/** A container without options. */
const ordinary = withDefaultUnixDevices()(defaultSpec({ namespace: 'default', id: 'ordinary' }))
