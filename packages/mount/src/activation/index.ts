export {
  type ActivateOptions,
  type Activation,
  activateMounts,
  deactivateMounts,
  mountsToMake,
} from './activate.ts'
export type { ActiveMount } from './active-mount.ts'
export { parseMountType } from './mount-type.ts'
