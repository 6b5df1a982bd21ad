import type { MountCalls } from './mount-calls.ts'
import { systemCalls } from './platform.ts'

// One line each would only repeat the interface, which has the contract.
export const {
  mount,
  umount2,
  fsopen,
  fsconfigFlag,
  fsconfigString,
  fsconfigCreate,
  fsmount,
  openTreeClone,
  moveMount,
  mountSetattr,
  openat2,
}: MountCalls = systemCalls
