export {
  closeAbandoned,
  closeDescriptor,
  descriptorTable,
  keepDescriptorsIn,
  opened,
} from './descriptor-table.ts'
export { type FileCalls, fileCalls, fileCallsInThread } from './file-calls.ts'
export { openPath, resolveFlags } from './resolve-flags.ts'
export { sealedCopy } from './sealed-copy.ts'
