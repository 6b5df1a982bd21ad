export type { FileCalls } from './file-calls.ts'
export { fileCalls } from './platform.ts'
export { openPath, resolveFlags } from './resolve-flags.ts'
export { sealedCopy } from './sealed-copy.ts'
