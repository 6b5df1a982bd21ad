import { quoted } from '@nsbox/errors'
import { refuse } from '../validate.ts'
import type { IdMapping } from './id-mapping.ts'
import type { Integer } from './integer.ts'
import type { Device, Linux } from './linux.ts'
import { validateResources } from './validate-resources.ts'
import { validateSeccomp } from './validate-seccomp.ts'

const namespaceTypes = ['pid', 'network', 'mount', 'ipc', 'uts', 'user', 'cgroup', 'time']

/** The part of `validateSpec` for Linux. */
export function validateLinux(linux: Linux): void {
  const namespaces = linux.namespaces ?? []
  const seen = new Set<string>()
  for (const [index, { type, path }] of namespaces.entries()) {
    const field = `spec: linux.namespaces[${index}]`
    if (!namespaceTypes.includes(type))
      throw refuse(`${field}.type`, `${quoted(type)} is not a type of namespace`)
    if (seen.has(type)) throw refuse(`${field}.type`, `${type} is there twice`)
    seen.add(type)
    if (path !== undefined && path !== '') assertAbsolutePath(path, `${field}.path`)
  }
  for (const name of ['uidMappings', 'gidMappings'] as const) {
    const mappings = linux[name] ?? []
    if (mappings.length > 0 && !seen.has('user'))
      throw refuse(`spec: linux.${name}`, 'needs a user namespace')
    validateMappings(mappings, `spec: linux.${name}`)
  }
  for (const name of ['maskedPaths', 'readonlyPaths'] as const)
    for (const [index, path] of (linux[name] ?? []).entries())
      assertAbsolutePath(path, `spec: linux.${name}[${index}]`)
  const { cgroupsPath, devices = [], seccomp, resources, sysctl = {} } = linux
  if (cgroupsPath !== undefined && /\0|(?:^|\/)\.\.(?:\/|$)/.test(cgroupsPath))
    throw refuse('spec: linux.cgroupsPath', `${quoted(cgroupsPath)} is not a path of a cgroup`)
  for (const [index, device] of devices.entries()) validateDevice(device, `spec: linux.devices[${index}]`)
  for (const [key, value] of Object.entries(sysctl)) {
    if (!/^[A-Za-z0-9_.:/*@-]+$/.test(key) || /(?:^|\/)\.\.(?:\/|$)/.test(key) || value.includes('\0'))
      throw refuse(`spec: linux.sysctl[${quoted(key)}]`, 'is not a setting of the kernel')
  }
  if (resources) validateResources(resources, 'spec: linux.resources')
  if (seccomp) validateSeccomp(seccomp, 'spec: linux.seccomp')
}

function validateMappings(mappings: readonly IdMapping[], field: string): void {
  for (const [index, { containerID, hostID, size }] of mappings.entries()) {
    const ends = [containerID, hostID].map((start) => start + size)
    if (containerID < 0 || hostID < 0 || size < 1 || ends.some((end) => end > 2 ** 32 - 1))
      throw refuse(`${field}[${index}]`, 'is not a range of ids')
  }
}

function validateDevice({ path, type, major, minor }: Device, field: string): void {
  assertAbsolutePath(path, `${field}.path`)
  if (path.split('/').includes('..')) throw refuse(`${field}.path`, `${quoted(path)} has ".."`)
  if (!['c', 'u', 'b', 'p'].includes(type))
    throw refuse(`${field}.type`, `${quoted(type)} is not a type of device`)
  if (type === 'p') return
  if (!isNumber(major) || !isNumber(minor)) throw refuse(field, 'has no numbers')
}

const isNumber = (value: Integer | undefined): boolean => value !== undefined && value >= 0

/** @throws `invalid_argument`, naming the field, for anything but an absolute path of Linux */
export function assertAbsolutePath(path: string, field: string): void {
  if (!path.startsWith('/') || path.includes('\0'))
    throw refuse(field, `${quoted(path)} is not an absolute path`)
}
