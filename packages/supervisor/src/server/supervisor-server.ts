import { closeSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { NsboxError } from '@nsbox/errors'
import { acceptUnix, listenUnix, receiveDescriptors } from '@nsbox/sys/descriptors'
import { processStat } from '@nsbox/sys/processes'
import { files } from '../protocol/directory-layout.ts'
import { ClientConnection } from './client-connection.ts'
import { ProcessTable } from './process-table.ts'
import { RecordFiles } from './record-files.ts'
import { Watcher } from './watcher.ts'

/** Milliseconds that a supervisor without processes waits for another client. */
const idleTimeout = 10_000

/** One for the client, others for its next connection or its successor's; each may hold an incomplete line. */
const mostConnections = 16

/** How to start a supervisor. */
export interface SupervisorServerOptions {
  /** Its own directory, made by its client. */
  readonly directory: string
  /** Identifies the program's build. */
  readonly build: string
  /** The cgroup that it was started for; empty for none. */
  readonly cgroup: string
  /** Called when nothing is left to do and its directory is gone. */
  readonly onEnd: () => void
}

/**
 * The supervisor: launches processes, holds their descriptors, relays between them, reports their ends. It serves one
 * client at a time, the last to say hello, and runs without one until all processes that it holds have ended.
 */
export class SupervisorServer {
  readonly #options: SupervisorServerOptions
  readonly #watcher = new Watcher()
  readonly #processes: ProcessTable
  readonly #connections = new Set<ClientConnection>()
  readonly #packets: number
  readonly #server: Server
  #client: ClientConnection | undefined
  #retiring = false
  #terminated = false
  #idle: NodeJS.Timeout | undefined

  constructor(options: SupervisorServerOptions) {
    this.#options = options
    const { directory } = options
    mkdirSync(join(directory, files.launches), { recursive: true, mode: 0o700 })
    const records = new RecordFiles(join(directory, files.records))
    const notify = (notice: object) => {
      this.#client?.notify(notice)
      this.#endIfDone()
    }
    this.#processes = new ProcessTable({
      ...{ directory, watcher: this.#watcher, records, notify },
      onReleased: () => this.#endIfDone(),
    })
    const self = { pid: process.pid, startTime: processStat(process.pid)!.startTime }
    const path = join(directory, files.process)
    writeFileSync(`${path}.new`, JSON.stringify(self), { mode: 0o600 })
    renameSync(`${path}.new`, path)
    // Its sockets are for its owner only.
    process.umask(0o177)
    this.#packets = listenUnix(join(directory, files.descriptors), 'packets')
    this.#server = createServer((socket) => this.#connect(socket))
    this.#server.maxConnections = mostConnections
  }

  /** Serves until nothing is left to do. Resolves when clients can connect. */
  async start(): Promise<void> {
    this.#watcher.run().catch((error) => {
      // Without the watcher nothing is relayed; another supervisor can take over.
      console.error('nothing can be waited for:', error)
      process.exit(1)
    })
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(join(this.#options.directory, files.control), resolve)
    })
    // Launched programs get the usual mask.
    process.umask(0o022)
    this.#startIdling()
  }

  /** As `retire`, even if clients come. */
  terminate(): void {
    this.#terminated = true
    this.retire()
  }

  /** Ends as soon as no process is held or, without a client, all held ones have ended. */
  retire(): void {
    this.#retiring = true
    this.#endIfDone()
  }

  #connect(socket: Socket): void {
    const { build, cgroup } = this.#options
    const connection = new ClientConnection(socket, {
      processes: this.#processes,
      identity: { build, cgroup, pid: process.pid },
      takePackets: (token) => this.#takePackets(token),
      onHello: (greeted) => this.#serve(greeted),
      onRetire: () => this.retire(),
      onClosed: (closed) => this.#left(closed),
    })
    this.#connections.add(connection)
  }

  #serve(connection: ClientConnection): void {
    const before = this.#client
    this.#client = connection
    this.#retiring = this.#terminated
    clearTimeout(this.#idle)
    if (before !== connection) before?.close()
  }

  #left(connection: ClientConnection): void {
    this.#connections.delete(connection)
    if (connection !== this.#client) return
    this.#client = undefined
    this.#startIdling()
    this.#endIfDone()
  }

  #startIdling(): void {
    clearTimeout(this.#idle)
    this.#idle = setTimeout(() => {
      this.#retiring = true
      this.#endIfDone()
    }, idleTimeout)
  }

  /** Records of ended processes are on disk, for a later client. */
  get #isDone(): boolean {
    if (!this.#retiring) return false
    return this.#processes.empty || (this.#client === undefined && this.#processes.over)
  }

  #endIfDone(): void {
    if (!this.#isDone) return
    clearTimeout(this.#idle)
    // Pending answers are sent first.
    setImmediate(() => {
      if (!this.#isDone) return
      for (const connection of this.#connections) connection.close()
      this.#server.close()
      closeSync(this.#packets)
      if (this.#processes.empty) rmSync(this.#options.directory, { recursive: true, force: true })
      this.#options.onEnd()
    })
  }

  /** A client connects to this socket and sends its token before it says hello. */
  #takePackets(token: string): number {
    for (let fd = acceptUnix(this.#packets); fd !== undefined; fd = acceptUnix(this.#packets)) {
      if (hasSent(fd, token)) return fd
      closeSync(fd)
    }
    throw new NsboxError('invalid_argument', 'no socket for descriptors has sent this token')
  }
}

function hasSent(fd: number, token: string): boolean {
  try {
    const received = receiveDescriptors(fd, 128)
    if (typeof received === 'string') return false
    for (const descriptor of received.descriptors) closeSync(descriptor)
    return Buffer.from(received.bytes).toString() === token
  } catch (error) {
    console.error('a socket for descriptors is closed:', error)
    return false
  }
}
