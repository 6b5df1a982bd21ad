export {
  type GroupEntry,
  maxAccountFile,
  maxId,
  type PasswdEntry,
  parseGroup,
  parsePasswd,
} from './account-file.ts'
export { capabilityNames, defaultCapabilities, parseCapabilityMask } from './capability.ts'
export {
  withAddedCapabilities,
  withAmbientCapabilities,
  withCapabilities,
  withDroppedCapabilities,
} from './capability-options.ts'
export { type DefaultSpecOptions, defaultSpec, specVersion } from './default-spec.ts'
export {
  withAllDevices,
  withDefaultUnixDevices,
  withDeviceRules,
  withDevices,
} from './device-options.ts'
export { defaultPath, mergeEnv } from './env.ts'
export { hostAccess, processAccess, resourcesAccess } from './host-access.ts'
export { hostCapabilities } from './host-capabilities.ts'
export { hostDevices } from './host-devices.ts'
export type { IdMapping } from './id-mapping.ts'
export { type ImageLabels, imageLabels } from './image-labels.ts'
export { type ImageOptions, withImageConfig } from './image-options.ts'
export { imageVolumes } from './image-volumes.ts'
export type { Integer } from './integer.ts'
export type { Device, IntelRdt, Linux, Namespace, NamespaceType } from './linux.ts'
export {
  bindMount,
  withMounts,
  withoutMounts,
  withRootfsPropagation,
} from './mount-options.ts'
export {
  withHostNamespace,
  withHostNetwork,
  withNamespace,
  withUserNamespace,
} from './namespace-options.ts'
export { withMaskedHardware, withMaskedPaths, withReadonlyPaths } from './path-options.ts'
export { withPrivileged } from './privileged.ts'
export type { Capabilities, Process, Rlimit, User } from './process.ts'
export {
  withApparmorProfile,
  withCwd,
  withEnv,
  withNoNewPrivileges,
  withOomScoreAdj,
  withProcessArgs,
  withRlimit,
  withTty,
  withUser,
} from './process-options.ts'
export {
  withBlockIo,
  withCgroup,
  withCpu,
  withCpuPeriod,
  withCpuQuota,
  withCpuShares,
  withCpus,
  withCpusetCpus,
  withCpusetMems,
  withMemory,
  withMemoryLimit,
  withPidsLimit,
  withRdtClass,
} from './resource-options.ts'
export type {
  BlockIo,
  BlockIoThrottle,
  BlockIoWeight,
  CpuResources,
  DeviceRule,
  MemoryResources,
  Resources,
} from './resources.ts'
export { type RootlessOptions, withRootless } from './rootless.ts'
export type { Seccomp, SeccompAction, SeccompCondition, SeccompRule } from './seccomp.ts'
export {
  defaultSeccompProfile,
  type SeccompProfileOptions,
  withDefaultSeccomp,
  withSeccomp,
} from './seccomp-profile.ts'
export type { Hook, Hooks, Mount, Root, Spec } from './spec.ts'
export {
  encodeSpec,
  maxSpecSize,
  parseProcess,
  parseResources,
  parseSeccompProfile,
  parseSpec,
} from './spec-json.ts'
export { buildSpec, type SpecOption } from './spec-option.ts'
export {
  withAnnotations,
  withHooks,
  withHostname,
  withReadonlyRootfs,
  withRootfs,
} from './spec-options.ts'
export { parseUser, type RootfsReader, resolveUser, type UserName } from './user.ts'
export { validateProcess } from './validate-process.ts'
export { validateResources } from './validate-resources.ts'
export { validateSpec } from './validate-spec.ts'
export { type UserNamespaceLimits, withinUserNamespace } from './within-user-namespace.ts'
