import { closeSync, fstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { pipe } from '@nsbox/sys'
import { acceptUnix, connectUnix, listenUnix, sendDescriptors } from '@nsbox/sys/descriptors'
import { type TempDir, tempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openFiles } from '../testing/open-files.ts'
import { SupervisorFixture } from '../testing/supervised-shell.ts'
import { Link } from './link.ts'
import type { OwnedEnds } from './owned-ends.ts'
import type { Ends } from './roles.ts'

describeWith({ linux: true }, 'a link', () => {
  let dir: TempDir
  let server: Server
  let raw: Socket
  let packets: number
  let link: Link
  let messages: { message: object; ends: Ends }[]
  let closed: (Error | undefined)[]
  let handle: (message: object, ends: OwnedEnds) => void
  beforeEach(async () => {
    dir = await tempDir()
    messages = []
    closed = []
    handle = (message, ends) => messages.push({ message, ends: ends.takeAll() })
    server = createServer()
    const control = join(dir.path, 'control')
    const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve))
    await new Promise<void>((resolve) => server.listen(control, resolve))
    raw = connect(control).on('error', () => undefined)
    const listener = listenUnix(join(dir.path, 'packets'), 'packets')
    packets = connectUnix(join(dir.path, 'packets'), 'packets')
    link = new Link(await accepted, {
      message: (message, ends) => handle(message, ends),
      closed: (error) => closed.push(error),
    })
    link.carryDescriptors(acceptUnix(listener)!)
    closeSync(listener)
  })
  afterEach(async () => {
    link.close()
    raw.destroy()
    closeSync(packets)
    server.close()
    for (const { ends } of messages) for (const fd of ends.values()) closeSync(fd)
    await dir[Symbol.asyncDispose]()
  })

  test('brings messages apart and together again, with their descriptors', async () => {
    const { read, write } = pipe(4096)
    sendDescriptors(packets, Buffer.from('1'), [read])
    raw.write('{"a":"one"}\n{"a":"t')
    await expect.poll(() => messages.length).toBe(1)
    raw.write('wo","packet":1,"roles":["pidfd"]}\n')
    await expect.poll(() => messages.length).toBe(2)
    expect(messages.map(({ message }) => message)).toMatchObject([{ a: 'one' }, { a: 'two' }])
    expect(fstatSync(messages[1]!.ends.get('pidfd')!).ino).toBe(fstatSync(read).ino)
    closeSync(read)
    closeSync(write)
  })

  test.each([
    ['no JSON', 'hello\n'],
    ['no object', '[1]\n'],
    ['null', 'null\n'],
    ['a line without an end', 'x'.repeat(1024 * 1024 + 1)],
    ['descriptors that were not sent', '{"packet":1,"roles":["pidfd"]}\n'],
    ['descriptors for nothing known', '{"packet":1,"roles":["root"]}\n'],
    ['descriptors for the same twice', '{"packet":1,"roles":["pidfd","pidfd"]}\n'],
    ['roles that are no list', '{"packet":1,"roles":7}\n'],
  ])('ends at %s', async (_, text) => {
    raw.write(text)
    await expect.poll(() => closed).toEqual([expect.objectContaining({ code: 'invalid_argument' })])
    expect(messages).toEqual([])
  })

  test('ends at other descriptors than were announced, and keeps none', async () => {
    const { read, write } = pipe(4096)
    const name = readlinkSync(`/proc/self/fd/${read}`)
    sendDescriptors(packets, Buffer.from('1'), [read, write])
    closeSync(read)
    closeSync(write)
    raw.write('{"packet":1,"roles":["pidfd"]}\n')
    await expect.poll(() => closed).toEqual([expect.objectContaining({ code: 'invalid_argument' })])
    expect(openFiles()).not.toContain(name)
  })

  test('closes what its handler does not take, also when that throws, which ends it', async () => {
    const { read, write } = pipe(4096)
    const name = readlinkSync(`/proc/self/fd/${read}`)
    handle = (message) => {
      if ('bad' in message) throw new Error('not understood')
    }
    for (const number of ['1', '2']) sendDescriptors(packets, Buffer.from(number), [read])
    closeSync(read)
    closeSync(write)
    raw.write('{"packet":1,"roles":["pidfd"]}\n{"bad":1,"packet":2,"roles":["stdin"]}\n')
    await expect.poll(() => closed).toEqual([expect.objectContaining({ message: 'not understood' })])
    expect(openFiles()).not.toContain(name)
  })

  test('takes a line as long as the longest, in pieces of any size', async () => {
    const line = `{"a":"${'x'.repeat(1024 * 1024 - 9)}"}`
    for (let at = 0; at < line.length; at += 1000) raw.write(line.slice(at, at + 1000))
    raw.write('\n{}\n')
    await expect.poll(() => messages.length).toBe(2)
    raw.write(`${line}  \n`)
    await expect.poll(() => closed).toEqual([expect.objectContaining({ code: 'invalid_argument' })])
  })

  test('ends when the other side does not read, within bounds', async () => {
    raw.pause()
    const message = { text: 'x'.repeat(1024 * 1024) }
    for (let sent = 0; sent < 64 && !link.closed; sent++) link.send(message)
    expect(closed).toEqual([expect.objectContaining({ code: 'resource_exhausted' })])
    link.send(message)
    link.close()
    expect(closed).toHaveLength(1)
  })
})

describeWith({ linux: true }, 'a supervisor', () => {
  test('is not hurt by what strangers send, and serves nobody who has not said hello', async () => {
    await using fixture = await SupervisorFixture.create()
    const supervisor = await fixture.open()
    const process = await fixture.launch(supervisor, 'sleep 0.5; exit 3')
    const [name] = readdirSync(fixture.directory)
    const control = join(fixture.directory, name!, 'control')
    const answerTo = async (text: string) => {
      const socket = connect(control)
      socket.end(text)
      let answer = ''
      for await (const piece of socket.setEncoding('utf8')) answer += piece
      return answer
    }
    expect(await answerTo('GET / HTTP/1.1\r\n\r\n')).toBe('')
    expect(await answerTo('{"id":1,"method":"processes"}\n')).toBe('')
    expect(await answerTo('{"id":1,"method":"hello","protocols":[1],"token":"guess"}\n')).toContain(
      'invalid_argument',
    )
    expect(await answerTo('{"id":1,"method":"hello","protocols":[99],"token":"x"}\n')).toContain(
      'unimplemented',
    )
    expect(await process.exit).toMatchObject({ exitStatus: 3 })
    expect(fixture.warnings).toEqual([])
    expect(readFileSync(join(fixture.directory, name!, 'log'), 'utf8')).toContain('no JSON')
  })

  test('refuses messages whose fields are not what they should be', async () => {
    await using fixture = await SupervisorFixture.create()
    const supervisor = await fixture.open()
    for (const key of ['x'.repeat(513), 'a\0b'])
      await expect(fixture.launch(supervisor, 'true', { key })).rejects.toMatchObject({
        code: 'invalid_argument',
      })
    await expect(fixture.launch(supervisor, 'true', { timeout: -1 })).rejects.toMatchObject({
      code: 'invalid_argument',
    })
    const terminal = fixture.launch(supervisor, 'true', { terminal: true, stderr: '/dev/null' })
    await expect(terminal).rejects.toMatchObject({ code: 'invalid_argument' })
  })
})
