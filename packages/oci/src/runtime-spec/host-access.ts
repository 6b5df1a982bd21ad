import { defaultSpec } from './default-spec.ts'
import { withDefaultUnixDevices } from './device-options.ts'
import type { Linux } from './linux.ts'
import { capabilitySets, type Process } from './process.ts'
import type { DeviceRule, Resources } from './resources.ts'
import type { Mount, Spec } from './spec.ts'

/**
 * What a container would have of its host by a spec, beyond what a new one has for which nobody asks for anything: the
 * names of the fields, each with what it asks for. Empty for a spec that somebody else may have written and that may be
 * run all the same. Whatever this package does not know counts: it could mean anything to a runtime.
 *
 * What the container is limited by, and what it does within its own namespaces, is not looked at.
 *
 * @param spec one that `parseSpec` and `validateSpec` have taken
 */
export function hostAccess(spec: Spec): string[] {
  const { process, root, mounts = [], hooks = {}, linux = {}, annotations = {} } = spec
  return [
    ...unknown('', spec, known.spec),
    ...(root?.path === 'rootfs' ? [] : [`root.path ${root?.path}`]),
    ...mounts.flatMap((mount, index) => (isOwn(mount) ? [] : [`mounts[${index}] at ${mount.destination}`])),
    ...Object.entries(hooks).flatMap(([point, list]) => (isEmpty(list) ? [] : [`hooks.${point}`])),
    // Orders to runtimes and to programs that go with them.
    ...Object.keys(annotations).map((key) => `annotations ${key}`),
    ...(process ? ofProcess(process) : []),
    ...ofLinux(linux),
  ]
}

const known = {
  spec: [
    ...['ociVersion', 'process', 'root', 'hostname', 'domainname', 'mounts', 'hooks', 'annotations'],
    'linux',
  ],
  process: [
    ...['terminal', 'consoleSize', 'user', 'args', 'env', 'cwd', 'capabilities', 'rlimits'],
    ...['noNewPrivileges', 'apparmorProfile', 'oomScoreAdj'],
  ],
  linux: [
    ...['uidMappings', 'gidMappings', 'sysctl', 'resources', 'cgroupsPath', 'namespaces', 'devices'],
    ...['seccomp', 'rootfsPropagation', 'maskedPaths', 'readonlyPaths'],
  ],
  resources: ['devices', 'memory', 'cpu', 'pids', 'blockIO', 'hugepageLimits', 'rdma', 'unified'],
} satisfies Record<string, string[]>

/** Fields that say something and are not among those that are known. */
function unknown(prefix: string, value: object, names: readonly string[]): string[] {
  return Object.entries(value).flatMap(([name, field]) =>
    names.includes(name) || isEmpty(field) ? [] : [`${prefix}${name}`],
  )
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === '' || value === false) return true
  return typeof value === 'object' && Object.keys(value).length === 0
}

/** File systems that show a container its own, and where. A second /proc would be one that nothing is hidden in. */
const places: ReadonlyMap<string, string | undefined> = new Map([
  ['proc', '/proc'],
  ['sysfs', '/sys'],
  ['cgroup', '/sys/fs/cgroup'],
  ['tmpfs', undefined],
  ['devpts', undefined],
  ['mqueue', undefined],
])

function isOwn({ type = '', destination, options = [] }: Mount): boolean {
  if (!places.has(type) || options.some((option) => option === 'bind' || option === 'rbind')) return false
  const place = places.get(type)
  if (place !== undefined && place !== destination) return false
  return (type !== 'sysfs' && type !== 'cgroup') || (options.includes('ro') && !options.includes('rw'))
}

function ofProcess(process: Process): string[] {
  const { capabilities = {}, oomScoreAdj = 0 } = process
  const usual = new Set(ordinary.process?.capabilities?.bounding)
  const given = new Set(capabilitySets.flatMap((set) => capabilities[set] ?? []))
  return [
    ...unknown('process.', process, known.process),
    ...unknown('process.capabilities.', capabilities, capabilitySets),
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
    ...unknown('linux.', linux, known.linux),
    ...ownNamespaces.filter((type) => !own.has(type)).map((type) => `linux.namespaces ${type} of the host`),
    ...namespaces.flatMap(({ type, path }) => (path ? [`linux.namespaces ${type} at ${path}`] : [])),
    ...devices.map(({ path }) => `linux.devices ${path}`),
    ...(seccomp?.listenerPath ? ['linux.seccomp.listenerPath'] : []),
    ...(ownPropagation.includes(rootfsPropagation) ? [] : [`linux.rootfsPropagation ${rootfsPropagation}`]),
    ...hidden.map((path) => `linux.maskedPaths without ${path}`),
    ...(writable ?? []).map((path) => `linux.readonlyPaths without ${path}`),
    ...ofResources(resources),
  ]
}

function ofResources(resources: Resources): string[] {
  const [first, ...rules] = resources.devices ?? []
  const files = Object.keys(resources.unified ?? {})
  const deniesAll = first !== undefined && !first.allow && isAny(first) && (first.access ?? 'rwm') === 'rwm'
  const usual = new Set(ordinary.linux?.resources?.devices?.map(ruleKey))
  return [
    ...unknown('linux.resources.', resources, known.resources),
    // The last rule that matches decides, and without the first all devices are allowed.
    ...(deniesAll ? [] : ['linux.resources.devices do not begin with a rule that denies all']),
    ...rules
      .filter((rule) => rule.allow && !usual.has(ruleKey(rule)))
      .map((rule) => `linux.resources.devices ${ruleKey(rule)}`),
    ...files.filter((file) => !limit.test(file)).map((file) => `linux.resources.unified ${file}`),
  ]
}

/** Files of a cgroup that are limits. What is written to others can be about any process of the host. */
const limit = /^(?:cpu|cpuset|hugetlb|io|memory|misc|pids|rdma)\.[a-zA-Z0-9_.]+$/

const isAny = ({ type = 'a', major = -1, minor = -1 }: DeviceRule) =>
  type === 'a' && major === -1 && minor === -1

const ruleKey = ({ type = 'a', major, minor, access = 'rwm' }: DeviceRule) =>
  `${type} ${major ?? '*'}:${minor ?? '*'} ${access}`

/** The container that nobody asks anything for. */
const ordinary = withDefaultUnixDevices()(defaultSpec({ namespace: 'default', id: 'ordinary' }))
