export { becomeSubreaper } from './become-subreaper.ts'
export { peekEndedChild, reapChild } from './ended-children.ts'
export { openPidfd, pidfdExitStatus, signalPidfd } from './pidfd.ts'
export { zombieExitStatus } from './zombie-exit-status.ts'
