import { NsboxError } from '@nsbox/errors'
import type { FileCalls, FileCallsInThread } from './file-calls.ts'
import { linuxFileCalls } from './linux-file-calls.ts'
import { linuxFileCallsInThread } from './linux-file-calls-in-thread.ts'

const missing = (): never => {
  throw new NsboxError('unimplemented', `file calls on ${process.platform}`)
}

const unsupported: FileCalls = {
  openat2: missing,
  mkdirat: missing,
  mknodat: missing,
  symlinkat: missing,
  linkat: missing,
  targetOf: missing,
  unlinkat: missing,
  fchown: missing,
  fchmod: missing,
  fchownat: missing,
  futimens: missing,
  utimensat: missing,
  fsetxattr: missing,
  lsetxattr: missing,
  llistxattr: missing,
  lgetxattr: missing,
  getdents64: missing,
  statx: missing,
  seekEntry: missing,
  seekData: missing,
  seekHole: missing,
  copyFileRange: missing,
  umaskOfThread: missing,
}

/** The file calls of this platform; elsewhere than on Linux each throws `unimplemented` when it is made. */
export const fileCalls: FileCalls = process.platform === 'linux' ? linuxFileCalls : unsupported

/** Those of them that may take long, made by another thread; elsewhere than on Linux each throws `unimplemented`. */
export const fileCallsInThread: FileCallsInThread = linuxFileCallsInThread
