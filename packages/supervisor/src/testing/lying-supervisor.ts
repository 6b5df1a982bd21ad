import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { isNsboxError } from '@nsbox/errors'
import { acceptUnix, listenUnix, sendDescriptors } from '@nsbox/sys/descriptors'
import { bundleSources, type TempDir, tempDir } from '@nsbox/testing'
import { files } from '../protocol/directory-layout.ts'

/** What a client has asked. */
export interface Asked {
  readonly id: number
  readonly method: string
  readonly [field: string]: unknown
}

/** What a client is told: a text after one packet of descriptors, all of `/dev/zero`. */
export interface Said {
  readonly text: string
  readonly descriptors?: number
  /** Whether the connection ends then. */
  readonly ends?: boolean
}

/** A supervisor's reaction to a request other than a hello. */
export type Lie = (asked: Asked) => Said

/** What a supervisor tells of itself in its hello. */
export interface Introduction {
  /** Its own by default. */
  readonly pid?: number
  /** The only protocol that it knows; 1 by default. */
  readonly protocol?: number
}

/** The program of lying supervisors, for the tests of a file. */
export class LyingProgram implements AsyncDisposable {
  readonly #directory: TempDir
  readonly #path: string

  static async make(): Promise<LyingProgram> {
    const directory = await tempDir()
    const source = `
      import { lie } from './lying-supervisor.ts'
      await lie(process.argv[2], JSON.parse(process.argv[3]))`
    return new LyingProgram(directory, await bundleSources(source, import.meta.dirname, directory.path))
  }

  private constructor(directory: TempDir, path: string) {
    this.#directory = directory
    this.#path = path
  }

  async start(directory: string, lie: Lie, introduction: Introduction = {}): Promise<LyingSupervisor> {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    const args = [this.#path, directory, JSON.stringify(introduction)]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    await once(child, 'message')
    return new LyingSupervisor(directory, child, lie)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#directory[Symbol.asyncDispose]()
  }
}

/**
 * A supervisor that says what a test wants: real ones do not fail on demand. It is a process of its own, since the
 * client kills a supervisor that it has lost.
 */
export class LyingSupervisor implements AsyncDisposable {
  readonly directory: string
  readonly #child: ChildProcess
  readonly #ended: Promise<unknown>

  /** @internal use `LyingProgram` */
  constructor(directory: string, child: ChildProcess, lie: Lie) {
    this.directory = directory
    this.#child = child
    this.#ended = once(child, 'exit')
    child.on('message', (asked) => {
      // It may have been killed meanwhile.
      child.send(lie(asked as Asked), () => undefined)
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#ended
  }
}

/**
 * Answers clients as the parent says, until it is killed.
 * @public the program of `LyingProgram`
 */
export async function lie(
  directory: string,
  { pid = process.pid, protocol = 1 }: Introduction,
): Promise<void> {
  const listener = listenUnix(join(directory, files.descriptors), 'packets')
  writeFileSync(join(directory, files.process), JSON.stringify({ pid, startTime: 'none' }))
  const zero = openSync('/dev/zero', 'r')
  let packets: number | undefined
  let sent = 0
  const greet = ({ id, protocols }: Asked): Said => {
    if (!(protocols as number[]).includes(protocol)) {
      const error = { code: 'unimplemented', context: `protocols ${protocols}`, details: {} }
      return { text: `${JSON.stringify({ reply: id, error })}\n` }
    }
    if (packets !== undefined) closeSync(packets)
    packets = acceptUnix(listener)
    sent = 0
    const hello = { reply: id, protocol, build: 'lies', cgroup: '', pid }
    return { text: `${JSON.stringify(hello)}\n` }
  }
  const ask = async (asked: Asked): Promise<Said> => {
    const said = once(process, 'message')
    process.send!(asked)
    return (await said)[0] as Said
  }
  const serve = async (socket: Socket) => {
    let text = ''
    for await (const piece of socket.setEncoding('utf8')) {
      text += piece
      for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n')) {
        const asked = JSON.parse(text.slice(0, end)) as Asked
        text = text.slice(end + 1)
        const said = asked.method === 'hello' ? greet(asked) : await ask(asked)
        if (said.descriptors)
          sendDescriptors(packets!, Buffer.from(String(++sent)), Array(said.descriptors).fill(zero))
        socket.write(said.text)
        if (said.ends) socket.end()
      }
    }
  }
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    serve(socket).catch((error) => {
      // The client has given up.
      const given = isNsboxError(error) ? error.details.errno : error.code
      if (!['ECONNRESET', 'EPIPE'].includes(given)) throw error
    })
  })
  await once(server.listen(join(directory, files.control)), 'listening')
  process.once('disconnect', () => process.exit())
  process.send!('ready')
}

/** A record of a process, as in a supervisor's message. */
export const someRecord = (key: string, pid: number) => ({
  key,
  pid,
  startTime: '1',
  io: { stdin: '', stdout: '', stderr: '', terminal: false },
  stdinEnded: true,
  drained: false,
})
