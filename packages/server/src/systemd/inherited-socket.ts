import { readFileSync, readlinkSync } from 'node:fs'
import { NsboxError, quoted } from '@nsbox/errors'
import { closeAllOnExec } from '@nsbox/sys/descriptors'

type Environment = Record<string, string | undefined>

/** The first descriptor that a service manager passes on (sd_listen_fds(3)). */
const first = 3

/** A listening socket. */
export interface InheritedSocket {
  readonly fd: number
  readonly path: string
}

/**
 * The listening socket that a service manager has made for this process, and passes on by the protocol of systemd
 * (sd_listen_fds(3)): `LISTEN_PID`, `LISTEN_FDS` and `LISTEN_FDNAMES`, which are taken out of the environment. It is
 * closed on exec.
 *
 * @returns undefined if there is none, or it is another process's
 * @throws `invalid_argument` for more than one, or for something else than a listening socket with a path
 */
export function inheritedSocket(env: Environment = process.env): InheritedSocket | undefined {
  const { LISTEN_PID: pid, LISTEN_FDS: count, LISTEN_FDNAMES: names = '' } = env
  for (const name of ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES']) delete env[name]
  if (pid !== String(process.pid) || count === undefined || count === '0') return undefined
  if (count !== '1')
    throw new NsboxError(
      'invalid_argument',
      `${count} sockets of the service manager (${quoted(names)}), must be one, that of the server`,
    )
  const path = listeningPath(first)
  if (path === undefined)
    throw new NsboxError(
      'invalid_argument',
      `descriptor ${first} of the service manager (${quoted(names)}) is no listening stream socket with a path`,
    )
  closeAllOnExec()
  return { fd: first, path }
}

/** The path of a listening socket, as the kernel tells it (proc_net_unix, in proc(5)). */
function listeningPath(fd: number): string | undefined {
  // Not fstat: after that of a socket, Node.js 20 takes the next modules to be at other paths than theirs.
  const [, inode] = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${fd}`)) ?? []
  for (const line of readFileSync('/proc/net/unix', 'utf8').split('\n')) {
    // Num RefCount Protocol Flags Type St Inode Path; 00010000 is set of sockets that listen, 0001 is a stream.
    const found = /^\S+ \S+ \S+ 00010000 0001 \S+ +(\d+) (\/.*)$/.exec(line)
    if (found !== null && found[1] === inode) return found[2]
  }
  return undefined
}
