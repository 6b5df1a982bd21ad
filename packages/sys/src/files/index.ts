export {
  closeAbandoned,
  closeDescriptor,
  descriptorTable,
  keepDescriptorsIn,
  opened,
} from './descriptor-table.ts'
export type { FileCalls, FileCallsInThread } from './file-calls.ts'
export { fileCalls, fileCallsInThread } from './platform.ts'
export { openPath, resolveFlags } from './resolve-flags.ts'
export { sealedCopy } from './sealed-copy.ts'
