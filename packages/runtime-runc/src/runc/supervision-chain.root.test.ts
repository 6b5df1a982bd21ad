import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, readFileSync, readSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { pipe } from '@nsbox/sys'
import {
  acceptUnix,
  connectUnix,
  listenUnix,
  receiveDescriptors,
  sendDescriptors,
  setNonBlocking,
  setTerminalSize,
} from '@nsbox/sys/descriptors'
import { becomeSubreaper, openPidfd, peekEndedChild, pidfdExitStatus, reapChild } from '@nsbox/sys/processes'
import { run, tempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, test } from 'vitest'
import { busyboxBundle, testProcess } from '../testing/busybox-bundle.ts'

// The system calls that the supervisor relies on, made by hand: if one of these tests fails on a host, the supervisor
// cannot work there.

/** One container whose processes become children of this process. */
class Chain {
  readonly dir: string
  readonly id = `nsbox-chain-${process.pid}-${Math.random().toString(36).slice(2)}`
  readonly #opened: number[] = []
  #launches = 0

  constructor(dir: string) {
    becomeSubreaper()
    this.dir = dir
  }

  async bundle(options: { args: readonly string[]; terminal?: boolean }): Promise<void> {
    await busyboxBundle(this.dir, { ...options, cgroupsPath: `/${this.id}` })
  }

  own(fd: number): number {
    this.#opened.push(fd)
    return fd
  }

  close(fd: number): void {
    this.#opened.splice(this.#opened.indexOf(fd), 1)
    closeSync(fd)
  }

  /** A command of runc that makes a process, with pipes for its input and output. */
  async withPipes(command: string, ...args: readonly string[]) {
    const ends = [pipe(65536), pipe(65536), pipe(65536)] as const
    const pid = await this.#launch(command, args, [ends[0].read, ends[1].write, ends[2].write])
    for (const fd of [ends[0].read, ends[1].write, ends[2].write]) closeSync(fd)
    const [stdin, stdout] = [this.own(ends[0].write), this.own(ends[1].read)]
    this.own(ends[2].read)
    setNonBlocking(stdout)
    return { pid, stdin, stdout }
  }

  /** A command of runc that makes a process with a terminal. */
  async withTerminal(command: string, ...args: readonly string[]) {
    const path = join(this.dir, `console-${this.#launches}`)
    const listener = this.own(listenUnix(path, 'stream'))
    const pid = await this.#launch(
      command,
      ['--console-socket', path, ...args],
      ['ignore', 'ignore', 'inherit'],
    )
    // runc sends the terminal before the command ends.
    const connection = this.own(acceptUnix(listener)!)
    const received = receiveDescriptors(connection, 4096)
    if (typeof received === 'string') throw new Error(received)
    const master = this.own(received.descriptors[0]!)
    setNonBlocking(master)
    return { pid, master }
  }

  runc(...args: string[]) {
    return run('runc', ['--root', join(this.dir, 'state'), ...args])
  }

  async #launch(command: string, args: readonly string[], stdio: (number | 'ignore' | 'inherit')[]) {
    const pidFile = join(this.dir, `pid-${this.#launches++}`)
    const global = ['--root', join(this.dir, 'state'), '--log', join(this.dir, 'log')]
    const child = spawn('runc', [...global, command, '--pid-file', pidFile, ...args], { stdio })
    const [code] = await once(child, 'exit')
    if (code !== 0) throw new Error(`runc ${command}: ${code} ${readFileSync(join(this.dir, 'log'), 'utf8')}`)
    return Number(readFileSync(pidFile, 'utf8'))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.runc('delete', '--force', this.id)
    for (let pid = peekEndedChild(); pid !== undefined; pid = peekEndedChild()) reapChild(pid)
    for (const fd of this.#opened) closeSync(fd)
  }
}

/** The output up to this ending; bounded. */
async function readUntil(fd: number, ending: string): Promise<string> {
  let text = ''
  const buffer = Buffer.alloc(65536)
  for (let tries = 0; tries < 1000; tries++) {
    try {
      const length = readSync(fd, buffer)
      text += buffer.toString('utf8', 0, length)
      if (text.endsWith(ending)) return text
      if (length > 0) continue
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error
    }
    await delay(10)
  }
  throw new Error(`read ${JSON.stringify(text)} and no ${JSON.stringify(ending)}`)
}

/**
 * The exit status of a child, by waiting and by its descriptor. The first process of a pid namespace does not end
 * before all others in it have been waited for.
 */
async function statuses(pid: number, pidfd: number) {
  for (let tries = 0; tries < 1000; tries++) {
    const reaped = reapChild(pid)
    if (reaped !== undefined) return { reaped, told: pidfdExitStatus(pidfd) }
    await delay(10)
  }
  throw new Error(`${pid} does not end`)
}

const echoLines = ['sh', '-c', 'while read line; do echo "got $line"; done; exit 7']

/** Arguments that restore a container of a chain, without waiting for its end, from images that stand in its bundle. */
const restoring = ({ dir, id }: Chain, images: string): [string, ...string[]] => [
  'restore',
  '--detach',
  ...['--bundle', dir, '--image-path', images, '--work-path', images, id],
]

describeWith({ linux: true, root: true, programs: ['runc', 'criu', 'busybox'] }, 'the chain', () => {
  test('a container created with pipes is a child of the subreaper, and its end is told twice', async () => {
    await using dir = await tempDir()
    await using chain = new Chain(dir.path)
    await chain.bundle({ args: echoLines })
    const { pid, stdin, stdout } = await chain.withPipes('create', '--bundle', dir.path, chain.id)
    const pidfd = chain.own(openPidfd(pid))
    expect(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]).toMatch(
      new RegExp(`^\\S ${process.pid} `),
    )
    await chain.runc('start', chain.id)
    writeSync(stdin, 'hello\n')
    expect(await readUntil(stdout, '\n')).toBe('got hello\n')
    const exec = await chain.withPipes(
      'exec',
      '--detach',
      '--process',
      await processFile(chain, { args: ['sh', '-c', 'exit 9'] }),
      chain.id,
    )
    const execFd = chain.own(openPidfd(exec.pid))
    expect([
      { reaped: 9, told: 9 },
      { reaped: 9, told: 'unknown' },
    ]).toContainEqual(await statuses(exec.pid, execFd))
    const fds = await chain.withPipes(
      'exec',
      '--detach',
      '--process',
      await processFile(chain, { args: ['ls', '/proc/self/fd'] }),
      chain.id,
    )
    // Besides the three, the directory that ls reads.
    expect(await readUntil(fds.stdout, '3\n')).toBe('0\n1\n2\n3\n')
    await statuses(fds.pid, chain.own(openPidfd(fds.pid)))
    chain.close(stdin)
    expect([
      { reaped: 7, told: 7 },
      { reaped: 7, told: 'unknown' },
    ]).toContainEqual(await statuses(pid, pidfd))
  })

  test('so does one created with a terminal, whose size its descriptor sets, also after a hand-over', async () => {
    await using dir = await tempDir()
    await using chain = new Chain(dir.path)
    await chain.bundle({ args: ['sh', '-c', 'read line; stty size; read line; exit 3'], terminal: true })
    const { pid, master } = await chain.withTerminal('create', '--bundle', dir.path, chain.id)
    const pidfd = chain.own(openPidfd(pid))
    await chain.runc('start', chain.id)
    const [sentMaster, sentPidfd] = handOver(chain, [master, pidfd])
    setTerminalSize(sentMaster!, { width: 132, height: 43 })
    writeSync(sentMaster!, '\n')
    expect(await readUntil(master, '43 132\r\n')).toBe('\r\n43 132\r\n')
    const exec = await chain.withTerminal(
      'exec',
      '--detach',
      '--tty',
      '--process',
      await processFile(chain, { args: ['tty'], terminal: true }),
      chain.id,
    )
    expect(await readUntil(exec.master, '\r\n')).toBe('/dev/pts/1\r\n')
    await statuses(exec.pid, chain.own(openPidfd(exec.pid)))
    writeSync(master, '\n')
    expect([
      { reaped: 3, told: 3 },
      { reaped: 3, told: 'unknown' },
    ]).toContainEqual(await statuses(pid, sentPidfd!))
  })

  test('a container with pipes goes on from a checkpoint with other pipes', async () => {
    await using dir = await tempDir()
    await using chain = new Chain(dir.path)
    await chain.bundle({ args: echoLines })
    const first = await chain.withPipes('create', '--bundle', dir.path, chain.id)
    await chain.runc('start', chain.id)
    writeSync(first.stdin, 'one\n')
    expect(await readUntil(first.stdout, '\n')).toBe('got one\n')
    const images = join(dir.path, 'images')
    const dumped = await chain.runc('checkpoint', '--image-path', images, '--work-path', images, chain.id)
    expect(dumped).toMatchObject({ code: 0 })
    await chain.runc('delete', '--force', chain.id)
    const restored = await chain.withPipes(...restoring(chain, images))
    const pidfd = chain.own(openPidfd(restored.pid))
    writeSync(restored.stdin, 'two\n')
    expect(await readUntil(restored.stdout, '\n')).toBe('got two\n')
    chain.close(restored.stdin)
    expect(await statuses(restored.pid, pidfd)).toMatchObject({ reaped: 7 })
  })

  test('a container with a terminal goes on from a checkpoint with another terminal', async () => {
    await using dir = await tempDir()
    await using chain = new Chain(dir.path)
    await chain.bundle({ args: echoLines, terminal: true })
    const first = await chain.withTerminal('create', '--bundle', dir.path, chain.id)
    await chain.runc('start', chain.id)
    writeSync(first.master, 'one\n')
    expect(await readUntil(first.master, 'got one\r\n')).toBe('one\r\ngot one\r\n')
    const images = join(dir.path, 'images')
    expect(
      await chain.runc('checkpoint', '--image-path', images, '--work-path', images, chain.id),
    ).toMatchObject({ code: 0 })
    await chain.runc('delete', '--force', chain.id)
    const restored = await chain.withTerminal(...restoring(chain, images))
    writeSync(restored.master, 'two\n')
    expect(await readUntil(restored.master, 'got two\r\n')).toBe('two\r\ngot two\r\n')
  })
})

async function processFile(
  chain: Chain,
  options: { args: readonly string[]; terminal?: boolean },
): Promise<string> {
  const path = join(chain.dir, 'process.json')
  writeFileSync(path, JSON.stringify(testProcess(options)))
  return path
}

/** Sends descriptors through a socket, and does not close them. */
function handOver(chain: Chain, descriptors: readonly number[]): number[] {
  const path = join(chain.dir, 'hand-over')
  const listener = chain.own(listenUnix(path, 'packets'))
  const from = chain.own(connectUnix(path, 'packets'))
  const to = chain.own(acceptUnix(listener)!)
  sendDescriptors(from, Buffer.from('x'), descriptors)
  const received = receiveDescriptors(to, 10)
  if (typeof received === 'string') throw new Error(received)
  return received.descriptors.map((fd) => chain.own(fd))
}
