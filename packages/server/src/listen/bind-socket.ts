import { once } from 'node:events'
import { lstat, unlink } from 'node:fs/promises'
import { connect, type Server } from 'node:net'
import { dirname } from 'node:path'
import { fromSystemError, isErrno, NsboxError } from '@nsbox/errors'
import { makeDirectories } from '@nsbox/errors/make-directories'

/** The most bytes of a socket's path: the size of `sun_path` less its terminating zero. */
const maxPathBytes = process.platform === 'linux' ? 107 : 103

/** Access to a socket. */
export interface BindOptions {
  /** Only the owner by default. Others also need access to the directories that lead to it. */
  readonly openTo?: 'owner' | 'all' | undefined
}

/**
 * Lets a server listen on a socket in the file system that has its final mode from the moment it exists
 * (docs/threat-model.md D01, D02). A socket that a killed server left is replaced; one that a server answers on is not.
 *
 * The caller holds the lock of its data root, so that no two servers of one root get here.
 *
 * @throws `invalid_argument` if the path is too long for a socket; `failed_precondition` if it is in use or is no
 * socket
 */
export async function bindSocket(
  server: Server,
  path: string,
  { openTo = 'owner' }: BindOptions = {},
): Promise<void> {
  const bytes = Buffer.byteLength(path)
  if (bytes > maxPathBytes) {
    throw new NsboxError(
      'invalid_argument',
      `socket path ${JSON.stringify(path)} has ${bytes} bytes, at most ${maxPathBytes} are allowed`,
    )
  }
  try {
    makeDirectories(dirname(path), 0o700)
    await removeStale(path)
    await listen(server, path, openTo === 'all' ? 0o666 : 0o600)
  } catch (error) {
    throw fromSystemError(error, `socket ${JSON.stringify(path)}`)
  }
}

/** Lets a server listen on a socket that somebody else has made, and keeps. @throws the error of listening */
export async function listenOn(server: Server, fd: number): Promise<void> {
  const listening = once(server, 'listening')
  server.listen({ fd })
  await listening
}

async function listen(server: Server, path: string, mode: number): Promise<void> {
  const listening = once(server, 'listening')
  // The socket gets its mode from the umask. It is bound before `listen` returns, so nothing else uses this umask.
  const umask = process.umask(0o777 & ~mode)
  try {
    server.listen(path)
  } finally {
    process.umask(umask)
  }
  await listening
}

async function removeStale(path: string): Promise<void> {
  try {
    if (!(await lstat(path)).isSocket()) {
      throw new NsboxError('failed_precondition', `${JSON.stringify(path)} exists and is no socket`)
    }
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return
    throw error
  }
  if (await isAnswered(path)) {
    throw new NsboxError('failed_precondition', `socket ${JSON.stringify(path)} is in use by another server`)
  }
  await unlink(path)
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', (error) => {
      if (isErrno(error, 'ECONNREFUSED') || isErrno(error, 'ENOENT')) resolve(false)
      // A listener whose queue is full is alive.
      else if (isErrno(error, 'EAGAIN')) resolve(true)
      else reject(error)
    })
  })
}
