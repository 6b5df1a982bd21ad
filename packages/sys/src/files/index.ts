export { O_PATH, RESOLVE } from '../mount-flags.ts'
export {
  closeAbandoned,
  closeDescriptor,
  descriptorTable,
  keepDescriptorsIn,
  opened,
} from './descriptor-table.ts'
export { type FileCalls, fileCalls, fileCallsInThread } from './file-calls.ts'
export { attachLoopDevice, type LoopDevice, type LoopDeviceOptions, openLoopDevice } from './loop-device.ts'
export { sealedCopy } from './sealed-copy.ts'
