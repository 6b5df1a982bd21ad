export { closeAllOnExec } from './close-on-exec.ts'
export { makeEventfd } from './make-eventfd.ts'
export { makeFifo } from './make-fifo.ts'
export { type OpenedTerminal, openTerminal } from './open-terminal.ts'
export { type PeerCredentials, peerCredentials, peerProcess } from './peer-credentials.ts'
export { hasHungUp, isReady } from './poll.ts'
export { makeWatchSet, type Readiness, unwatch, waitForReady, watchOnce } from './readiness.ts'
export { setNonBlocking } from './set-non-blocking.ts'
export { type SpliceResult, spliceNow, spliceToFile } from './splice.ts'
export { setTerminalSize, type TerminalSize, terminalSize } from './terminal-size.ts'
export {
  acceptUnix,
  connectUnix,
  listenUnix,
  type Received,
  receiveDescriptors,
  type SocketType,
  sendDescriptors,
} from './unix-socket.ts'
