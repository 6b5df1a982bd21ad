import { constants } from 'node:os'
import { CFunction } from '../c-function.ts'

const SOL_SOCKET = 1
const SO_PEERCRED = 17
const SO_PEERGROUPS = 59
const { ERANGE } = constants.errno

const getsockopt = new CFunction('int getsockopt(int fd, int level, int name, void *value, void *length)')

/** The peer of a socket at the moment of connecting (unix(7), SO_PEERCRED and SO_PEERGROUPS). */
export interface PeerCredentials {
  readonly pid: number
  readonly uid: number
  readonly gid: number
  /** Supplementary groups. */
  readonly groups: readonly number[]
}

/**
 * The credentials of the peer of a connection: effective ids in this process's user namespace. Ids without a mapping
 * there are the overflow id, 65534.
 *
 * @param fd of a connected unix socket
 * @throws with detail `errno` if it is none; `unimplemented` on other systems than Linux
 */
export function peerCredentials(fd: number): PeerCredentials {
  return { ...processOf(fd), groups: peerGroups(fd) }
}

/** Only the pid; otherwise as `peerCredentials`. */
export function peerProcess(fd: number): number {
  return processOf(fd).pid
}

function processOf(fd: number): Omit<PeerCredentials, 'groups'> {
  const value = new Uint32Array(3)
  getsockopt.callOrThrow(fd, SOL_SOCKET, SO_PEERCRED, value, new Uint32Array([value.byteLength]))
  const [pid, uid, gid] = value
  return { pid: pid!, uid: uid!, gid: gid! }
}

function peerGroups(fd: number): number[] {
  // A process has at most 65536 groups (NGROUPS_MAX, linux/limits.h).
  for (const room of [64, 65_536]) {
    const value = new Uint32Array(room)
    const length = new Uint32Array([value.byteLength])
    const result = getsockopt.call(fd, SOL_SOCKET, SO_PEERGROUPS, value, length)
    if (result === -ERANGE && room === 64) continue
    getsockopt.succeeded(result)
    return [...value.subarray(0, length[0]! / 4)]
  }
  return []
}
