import { readFile } from 'node:fs/promises'
import { cpus, hostname } from 'node:os'
import { NsboxError } from '@nsbox/errors'
import {
  hostCapabilities,
  hostDevices,
  parseSeccompProfile,
  type SpecOption,
  withAddedCapabilities,
  withAllDevices,
  withAnnotations,
  withApparmorProfile,
  withCgroup,
  withCpuPeriod,
  withCpuQuota,
  withCpuShares,
  withCpus,
  withCpusetCpus,
  withCpusetMems,
  withCwd,
  withDefaultSeccomp,
  withDevices,
  withDroppedCapabilities,
  withEnv,
  withHostNetwork,
  withHostname,
  withMaskedHardware,
  withMemoryLimit,
  withMounts,
  withNamespace,
  withNoNewPrivileges,
  withPrivileged,
  withRdtClass,
  withReadonlyRootfs,
  withRlimit,
  withRootfsPropagation,
  withSeccomp,
  withTty,
  withUserNamespace,
} from '@nsbox/oci/runtime-spec'
import { parseLabels } from '../parse-labels.ts'
import type { ContainerFlags } from './container-flags.ts'
import { parseIdMapping } from './parse-id-mapping.ts'
import { parseMount } from './parse-mount.ts'
import { parseNamespace } from './parse-namespace.ts'

/**
 * The options for a spec that follow from the flags, apart from the root filesystem, the program and its user.
 *
 * @throws `invalid_argument` for invalid values, or options that exclude each other; errors of reading files
 */
export async function specOptionsOf(
  flags: ContainerFlags,
  options: { readonly signal: AbortSignal },
): Promise<SpecOption[]> {
  return [
    ...(await environmentOptions(flags, options)),
    ...fileSystemOptions(flags),
    ...(await privilegeOptions(flags, options)),
    ...networkOptions(flags),
    ...namespaceOptions(flags),
    ...(await deviceOptions(flags, options)),
    ...resourceOptions(flags),
    ...(flags.annotation ? [withAnnotations(annotations(flags.annotation))] : []),
    // After the capabilities, since the filter depends on them.
    ...(await seccompOptions(flags)),
  ]
}

async function environmentOptions(
  { cwd, env = [], envFile = [], tty }: ContainerFlags,
  { signal }: { readonly signal: AbortSignal },
): Promise<SpecOption[]> {
  const variables: string[] = []
  for (const file of envFile) {
    const lines = (await readFile(file, { encoding: 'utf8', signal })).split('\n')
    variables.push(...lines.filter((line) => line.trim() !== '' && !line.startsWith('#')))
  }
  return [
    withEnv([...variables, ...env]),
    ...(cwd === undefined ? [] : [withCwd(cwd)]),
    ...(tty ? [withTty()] : []),
  ]
}

function fileSystemOptions({ mount = [], readOnly, rootfsPropagation }: ContainerFlags): SpecOption[] {
  return [
    withMounts(mount.map(parseMount)),
    ...(readOnly ? [withReadonlyRootfs()] : []),
    ...(rootfsPropagation === undefined ? [] : [withRootfsPropagation(rootfsPropagation)]),
  ]
}

async function privilegeOptions(
  flags: ContainerFlags,
  { signal }: { readonly signal: AbortSignal },
): Promise<SpecOption[]> {
  const { allowNewPrivs, apparmorProfile, capAdd = [], capDrop = [], privileged } = flags
  const { privilegedWithoutHostDevices } = flags
  if (privilegedWithoutHostDevices && !privileged) {
    throw refuse("can't use 'privileged-without-host-devices' without 'privileged' specified")
  }
  const options: SpecOption[] = privileged
    ? [withPrivileged({ capabilities: await hostCapabilities({ signal }) })]
    : [withMaskedHardware(cpus().length)]
  if (privileged && !privilegedWithoutHostDevices) {
    options.push(withAllDevices(await hostDevices('/dev', { signal })))
  }
  return [
    ...options,
    ...(allowNewPrivs ? [withNoNewPrivileges(false)] : []),
    ...(capAdd.length > 0 ? [withAddedCapabilities(capAdd)] : []),
    ...(capDrop.length > 0 ? [withDroppedCapabilities(capDrop)] : []),
    ...(apparmorProfile === undefined ? [] : [withApparmorProfile(apparmorProfile)]),
  ]
}

function networkOptions({ cni, hostname: name, netHost }: ContainerFlags): SpecOption[] {
  if (cni && netHost) throw refuse('--cni and --net-host exclude each other')
  return [
    ...(netHost ? [withHostNetwork({ hostname: hostname() })] : []),
    ...(name === undefined ? [] : [withHostname(name)]),
  ]
}

function namespaceOptions({ gidmap, remapLabels, uidmap, withNs = [] }: ContainerFlags): SpecOption[] {
  if ((uidmap === undefined) !== (gidmap === undefined)) throw refuse('--uidmap and --gidmap go together')
  if (remapLabels && uidmap === undefined) throw refuse('--remap-labels needs --uidmap and --gidmap')
  const joined = withNs.map(parseNamespace).map(({ type, path }) => withNamespace(type, path))
  if (uidmap === undefined || gidmap === undefined) return joined
  return [withUserNamespace({ uid: [parseIdMapping(uidmap)], gid: [parseIdMapping(gidmap)] }), ...joined]
}

async function deviceOptions(
  { device = [] }: ContainerFlags,
  options: { readonly signal: AbortSignal },
): Promise<SpecOption[]> {
  const found = await Promise.all(device.map((path) => hostDevices(path, options)))
  return found.flat().length > 0 ? [withDevices(found.flat())] : []
}

function resourceOptions(flags: ContainerFlags): SpecOption[] {
  const { cgroup, cpuPeriod, cpuQuota, cpuShares, cpus: processors, cpusetCpus, cpusetMems } = flags
  const { memoryLimit, rdtClass, rlimitNofile } = flags
  if (processors !== undefined && (cpuQuota !== undefined || cpuPeriod !== undefined)) {
    throw refuse('cpus and quota/period should be used separately')
  }
  return [
    withCpuShares(cpuShares),
    ...(processors === undefined ? [] : [withCpus(processors)]),
    ...(cpuQuota === undefined ? [] : [withCpuQuota(cpuQuota)]),
    ...(cpuPeriod === undefined ? [] : [withCpuPeriod(cpuPeriod)]),
    ...(cpusetCpus === undefined ? [] : [withCpusetCpus(cpusetCpus)]),
    ...(cpusetMems === undefined ? [] : [withCpusetMems(cpusetMems)]),
    ...(memoryLimit === undefined ? [] : [withMemoryLimit(memoryLimit)]),
    ...(rlimitNofile === undefined ? [] : [withRlimit('RLIMIT_NOFILE', rlimitNofile)]),
    ...(cgroup === undefined ? [] : [withCgroup(cgroup || undefined)]),
    ...(rdtClass === undefined ? [] : [withRdtClass(rdtClass)]),
  ]
}

async function seccompOptions({ seccomp, seccompProfile }: ContainerFlags): Promise<SpecOption[]> {
  if (seccompProfile !== undefined && !seccomp) {
    throw refuse('seccomp must be set to true, if using a custom seccomp-profile')
  }
  if (!seccomp) return []
  if (seccompProfile === undefined) return [withDefaultSeccomp()]
  return [withSeccomp(parseSeccompProfile(await readFile(seccompProfile)))]
}

function annotations(args: readonly string[]): Readonly<Record<string, string>> {
  const bad = args.find((argument) => !argument.includes('='))
  if (bad !== undefined) throw refuse(`invalid key=value format annotation: ${bad}`)
  return parseLabels(args)
}

function refuse(why: string): NsboxError {
  return new NsboxError('invalid_argument', why)
}
