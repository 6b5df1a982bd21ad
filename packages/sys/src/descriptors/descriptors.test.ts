import {
  closeSync,
  constants,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { run, tempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, test } from 'vitest'
import { pipe } from '../pipe.ts'
import {
  acceptUnix,
  connectUnix,
  isReady,
  listenUnix,
  makeFifo,
  makeWatchSet,
  receiveDescriptors,
  sendDescriptors,
  setNonBlocking,
  setTerminalSize,
  spliceNow,
  spliceToFile,
  terminalSize,
  unwatch,
  waitForReady,
  watchOnce,
} from './index.ts'

/** Descriptors that are closed when a test ends. */
class Opened {
  readonly #fds: number[] = []
  add(fd: number): number {
    this.#fds.push(fd)
    return fd
  }
  pipe() {
    const { read, write } = pipe(65536)
    return { read: this.add(read), write: this.add(write) }
  }
  close(fd: number): void {
    this.#fds.splice(this.#fds.indexOf(fd), 1)
    closeSync(fd)
  }
  [Symbol.dispose](): void {
    for (const fd of this.#fds) closeSync(fd)
  }
}

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString()
const openCount = () => readdirSync('/proc/self/fd').length

describeWith({ linux: true }, 'descriptors sent through a socket', () => {
  async function pair(opened: Opened) {
    const dir = await tempDir()
    const path = join(dir.path, 's')
    const listener = opened.add(listenUnix(path, 'packets'))
    expect(acceptUnix(listener)).toBeUndefined()
    const a = opened.add(connectUnix(path, 'packets'))
    const b = opened.add(acceptUnix(listener)!)
    return { a, b, dir }
  }

  test('come out as duplicates, with their bytes, packet by packet', async () => {
    using opened = new Opened()
    const { a, b, dir } = await pair(opened)
    await using _ = dir
    expect(receiveDescriptors(b, 100)).toBe('nothing')
    const { read, write } = opened.pipe()
    sendDescriptors(a, Buffer.from('first'), [read, write])
    sendDescriptors(a, Buffer.from('second'), [])
    const first = receiveDescriptors(b, 100)
    if (typeof first === 'string') throw new Error(first)
    const [copyRead, copyWrite] = first.descriptors.map((fd) => opened.add(fd))
    expect(text(first.bytes)).toBe('first')
    writeSync(copyWrite!, 'through')
    expect(readSync(read, Buffer.alloc(100))).toBe(7)
    expect(copyRead).not.toBe(read)
    const second = receiveDescriptors(b, 100)
    expect(second).toMatchObject({ descriptors: [] })
    expect(receiveDescriptors(b, 100)).toBe('nothing')
  })

  test('are closed on exec', async () => {
    using opened = new Opened()
    const { a, b, dir } = await pair(opened)
    await using _ = dir
    const { read } = opened.pipe()
    sendDescriptors(a, Buffer.from('x'), [read])
    const received = receiveDescriptors(b, 1)
    if (typeof received === 'string') throw new Error(received)
    const fd = opened.add(received.descriptors[0]!)
    expect(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8')).toMatch(/^flags:\s+0?2/m)
  })

  test('a socket that is full takes no more for now, and one that is left tells its end', async () => {
    using opened = new Opened()
    const { a, b, dir } = await pair(opened)
    await using _ = dir
    let sent = 0
    while (sendDescriptors(a, Buffer.alloc(1000), [])) if (++sent > 100_000) throw new Error('endless')
    expect(sent).toBeGreaterThan(1)
    opened.close(a)
    for (let i = 0; i < sent; i++) expect(receiveDescriptors(b, 1000)).toHaveProperty('bytes')
    expect(receiveDescriptors(b, 1000)).toBe('end')
    expect(() => sendDescriptors(b, Buffer.from('x'), [])).toThrow(/sendmsg/)
  })

  test('a path that no socket can have is refused, and leaves nothing open', () => {
    const before = openCount()
    for (const path of ['', 'x'.repeat(108), 'a\0b'])
      expect(() => listenUnix(path, 'stream')).toThrow(expect.objectContaining({ code: 'invalid_argument' }))
    expect(() => connectUnix('/nonexistent', 'stream')).toThrow(
      expect.objectContaining({ code: 'not_found' }),
    )
    expect(openCount()).toBe(before)
  })
})

describeWith({ linux: true }, 'splice', () => {
  test('moves what there is between pipes, and says why it moves nothing', () => {
    using opened = new Opened()
    const from = opened.pipe()
    const to = opened.pipe()
    expect(spliceNow(from.read, to.write, 65536)).toBe('again')
    writeSync(from.write, 'hello')
    expect(spliceNow(from.read, to.write, 65536)).toBe(5)
    const got = Buffer.alloc(10)
    expect(got.subarray(0, readSync(to.read, got)).toString()).toBe('hello')
    writeSync(from.write, 'more')
    opened.close(to.read)
    expect(spliceNow(from.read, to.write, 65536)).toBe('closed')
    const { read, write } = opened.pipe()
    opened.close(write)
    expect(spliceNow(read, from.write, 65536)).toBe('end')
  })

  test('moves to where it is told in a file, in a thread', async () => {
    await using dir = await tempDir()
    using opened = new Opened()
    const { read, write } = opened.pipe()
    const file = opened.add(openSync(join(dir.path, 'f'), 'w'))
    writeSync(write, 'hello')
    writeSync(file, '0123456789')
    expect(await spliceToFile(read, file, 7, 65536)).toBe(5)
    expect(await spliceToFile(read, file, 7, 65536)).toBe('again')
    expect(readFileSync(join(dir.path, 'f'), 'utf8')).toBe('0123456hello')
  })
})

describeWith({ linux: true }, 'a set of watched descriptors', () => {
  test('tells each once until it is watched again, also when it is added while a thread waits', async () => {
    using opened = new Opened()
    const set = opened.add(makeWatchSet())
    const { read, write } = opened.pipe()
    const ready = waitForReady(set)
    expect(watchOnce(set, read, ['read'], false)).toBe(true)
    expect(watchOnce(set, write, ['write'], false)).toBe(true)
    expect(await ready).toEqual([write])
    writeSync(write, 'x')
    expect(await waitForReady(set)).toEqual([read])
    const other = opened.pipe()
    watchOnce(set, read, ['read'], true)
    expect(await waitForReady(set)).toEqual([read])
    unwatch(set, read)
    unwatch(set, other.read)
    expect(isReady(read, 'read')).toBe(true)
    expect(isReady(other.read, 'read')).toBe(false)
    expect(isReady(other.write, 'write')).toBe(true)
  })

  test('takes no file, which is always ready', async () => {
    await using dir = await tempDir()
    using opened = new Opened()
    const set = opened.add(makeWatchSet())
    const file = opened.add(openSync(join(dir.path, 'f'), 'w'))
    expect(watchOnce(set, file, ['write'], false)).toBe(false)
  })
})

describeWith({ linux: true }, 'a terminal', () => {
  test('has the size that its other side was given', () => {
    using opened = new Opened()
    const master = opened.add(openSync('/dev/ptmx', constants.O_RDWR | constants.O_NOCTTY))
    setTerminalSize(master, { width: 132, height: 43 })
    expect(terminalSize(master)).toEqual({ width: 132, height: 43 })
    expect(() => terminalSize(opened.pipe().read)).toThrow(
      expect.objectContaining({ details: { errno: 'ENOTTY' } }),
    )
  })
})

describeWith({ linux: true }, 'a FIFO', () => {
  test('is made with its mode, once', async () => {
    await using dir = await tempDir()
    const path = join(dir.path, 'fifo')
    makeFifo(path, 0o600)
    expect(statSync(path)).toMatchObject({ mode: constants.S_IFIFO | 0o600 })
    expect(() => makeFifo(path, 0o600)).toThrow(expect.objectContaining({ code: 'already_exists' }))
    rmSync(path)
  })
})

describeWith({ linux: true }, 'flags of descriptors', () => {
  test('a pipe that does not wait returns at once', () => {
    using opened = new Opened()
    const { read } = opened.pipe()
    setNonBlocking(read)
    expect(() => readSync(read, Buffer.alloc(1))).toThrow(/EAGAIN/)
  })

  test('those that were inherited are kept from children', async () => {
    const module = new URL('./index.ts', import.meta.url).href
    const script = `
      import { spawnSync } from 'node:child_process'
      import { closeAllOnExec } from '${module}'
      const link = () => spawnSync('readlink', ['/proc/self/fd/99'], { encoding: 'utf8' }).stdout
      const before = link()
      closeAllOnExec()
      process.stdout.write(before + '|' + link())`
    const node = [
      process.execPath,
      '--conditions=@nsbox/source',
      '--import',
      'tsx',
      '--input-type=module',
      '-e',
      script,
    ]
    // Dash has no such descriptors.
    const { stdout } = await run('bash', ['-c', 'exec "$@" 99</etc/passwd', 'bash', ...node])
    expect(stdout).toBe('/etc/passwd\n|')
  })
})
