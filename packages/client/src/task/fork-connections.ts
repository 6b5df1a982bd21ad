import { readdir, readFile, readlink } from 'node:fs/promises'
import { endianness } from 'node:os'
import { isErrno } from '@nsbox/errors'

/** States of `/proc/net/tcp` in which there is no connection: closed, and listening (Linux, net/tcp_states.h). */
const unconnected: readonly string[] = ['07', '0A']

/**
 * The TCP connections of processes of this host, in words; none of processes that have ended or that this process may not
 * look at.
 */
export async function openConnections(pids: readonly number[]): Promise<string[]> {
  const found = await Promise.all(pids.map((pid) => connectionsOf(pid)))
  // A connection that several processes hold is in the way once.
  return [...new Map(found.flat().reverse()).values()].reverse()
}

async function connectionsOf(pid: number): Promise<[string, string][]> {
  const inodes = new Set(await socketsOf(pid))
  if (inodes.size === 0) return []
  const tables = await Promise.all(['tcp', 'tcp6'].map((name) => table(`/proc/${pid}/net/${name}`)))
  return tables.flatMap((text) =>
    parseConnections(text).flatMap(({ inode, local, remote }): [string, string][] =>
      inodes.has(inode) ? [[inode, `${local} to ${remote} of process ${pid}`]] : [],
    ),
  )
}

/** A line of the kernel's table, with addresses as people write them. */
interface Connection {
  readonly inode: string
  readonly local: string
  readonly remote: string
}

/** The connections in the text of `/proc/net/tcp` or `/proc/net/tcp6` (proc_net_tcp in the kernel's documentation). */
export function parseConnections(text: string): Connection[] {
  return text
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const [, local, remote, state, , , , , , inode] = line.trim().split(/\s+/)
      if (inode === undefined || unconnected.includes(state!)) return []
      return [{ inode, local: address(local!), remote: address(remote!) }]
    })
}

/** Words of four bytes in the order of this machine, and a port. */
function address(hex: string): string {
  const [host = '', port = ''] = hex.split(':')
  const bytes = Buffer.from(host, 'hex')
  if (endianness() === 'LE') bytes.swap32()
  const number = Number.parseInt(port, 16)
  if (bytes.length === 4) return `${bytes.join('.')}:${number}`
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16))
  // The parser of addresses shortens it.
  return `${new URL(`http://[${groups.join(':')}]`).hostname}:${number}`
}

async function socketsOf(pid: number): Promise<string[]> {
  const directory = `/proc/${pid}/fd`
  const targets = await Promise.all(
    (await unlessHidden(readdir(directory), [])).map((fd) =>
      unlessHidden(readlink(`${directory}/${fd}`), ''),
    ),
  )
  return targets.flatMap((target) => /^socket:\[(\d+)\]$/.exec(target)?.[1] ?? [])
}

const table = (path: string) => unlessHidden(readFile(path, 'utf8'), '')

async function unlessHidden<T>(reading: Promise<T>, otherwise: T): Promise<T> {
  try {
    return await reading
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].some((errno) => isErrno(error, errno))) return otherwise
    throw error
  }
}
