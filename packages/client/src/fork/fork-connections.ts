import { open, readdir, readlink } from 'node:fs/promises'
import { endianness } from 'node:os'
import { isErrno } from '@nsbox/errors'

/** States of `/proc/net/tcp` in which there is no connection: closed, and listening (Linux, net/tcp_states.h). */
const unconnected: readonly string[] = ['07', '0A']

/** How many processes are looked at, since a container may have very many (docs/threat-model.md E14). */
const maxProcesses = 1000

/** Most bytes that are read of a table: some ten thousand connections. */
const maxTable = 2 * 1024 * 1024

/**
 * The TCP connections of processes of this host, for messages; none of processes that have ended or that this process
 * may not look at. Of very many processes or connections only some.
 */
export async function openConnections(pids: readonly number[]): Promise<string[]> {
  const tables = new Map<string, readonly Connection[]>()
  // A connection that several processes hold is in the way once.
  const found = new Map<string, string>()
  for (const pid of pids.slice(0, maxProcesses)) {
    const inodes = new Set(await socketsOf(pid))
    if (inodes.size === 0) continue
    // Processes in one network namespace see the same table.
    const network = await unlessHidden(readlink(`/proc/${pid}/ns/net`), `of process ${pid}`)
    const connections = tables.get(network) ?? (await connectionsAt(pid))
    tables.set(network, connections)
    for (const { inode, local, remote } of connections)
      if (inodes.has(inode) && !found.has(inode)) found.set(inode, `${local} to ${remote} of process ${pid}`)
  }
  return [...found.values()]
}

async function connectionsAt(pid: number): Promise<Connection[]> {
  const tables = await Promise.all(['tcp', 'tcp6'].map((name) => table(`/proc/${pid}/net/${name}`)))
  return tables.flatMap(parseConnections)
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
  // `URL` shortens the address.
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

async function table(path: string): Promise<string> {
  const read = async () => {
    await using file = await open(path)
    let text = ''
    const piece = Buffer.alloc(64 * 1024)
    while (text.length < maxTable) {
      const { bytesRead } = await file.read(piece)
      if (bytesRead === 0) return text
      text += piece.toString('latin1', 0, bytesRead)
    }
    return text.slice(0, text.lastIndexOf('\n'))
  }
  return await unlessHidden(read(), '')
}

async function unlessHidden<T>(reading: Promise<T>, otherwise: T): Promise<T> {
  try {
    return await reading
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].some((errno) => isErrno(error, errno))) return otherwise
    throw error
  }
}
