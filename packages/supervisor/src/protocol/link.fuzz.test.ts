import { closeSync } from 'node:fs'
import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { isNsboxError } from '@nsbox/errors'
import { pipe } from '@nsbox/sys'
import { sendDescriptors } from '@nsbox/sys/descriptors'
import { describeWith } from '@nsbox/testing/describe-with'
import { attempt, fuzz, mutatedJson } from '@nsbox/testing/fuzz'
import fc from 'fast-check'
import { expect } from 'vitest'
import { mutatedLines } from '../testing/mutated-lines.ts'
import { openFiles } from '../testing/open-files.ts'
import { socketPair } from '../testing/socket-pair.ts'
import { errorFields, fromErrorFields, toErrorFields } from './error-fields.ts'
import { launchMessage } from './launch-message.ts'
import { Link } from './link.ts'
import { processRecord } from './process-record.ts'
import { roles } from './roles.ts'
import { checked } from './schema.ts'

const io = { stdin: '/in', stdout: '/out', stderr: '', terminal: false }
const record = { key: 'ns/a', pid: 7, startTime: '123', io, stdinEnded: false, drained: false }
const ended = { ...record, exit: { exitStatus: 1, exitedAt: 5, unknown: true }, drained: true }
const launch = {
  id: 1,
  method: 'launch',
  key: 'ns/a',
  command: ['x', 'y'],
  makes: 'p',
  cwd: '/',
  fromMemory: false,
  env: { A: 'b' },
  io,
  owner: { uid: 1, gid: 2 },
  logEnv: { CONTAINER_ID: 'a' },
  waits: true,
  timeout: 5,
}
const messages = [
  launch,
  { id: 2, method: 'hello', protocols: [1], token: 'x' },
  { reply: 1, record, packet: 1, roles: ['pidfd', 'stdout'] },
  { reply: 3, error: { code: 'not_found', context: 'x', details: { a: 1 } } },
  { notice: 'closed', key: 'ns/a', roles: ['stdin'], drained: false },
  { notice: 'process', record: ended, packet: 2, roles: ['logger'] },
]
const stream = mutatedLines(messages, {
  atLeast: 0,
  dictionary: [
    '\n',
    '\n\n',
    '{}\n',
    '"packet":1,',
    '"roles":["stdin","stdin"],',
    '\u2028',
    'é',
    '"',
    '\\u0000',
  ],
})

/** The messages that a link reads from text in pieces, without descriptors. */
function taken(text: string, size: number): { messages: unknown[]; closed: unknown } {
  const socket = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() })
  const found: unknown[] = []
  let closed: unknown = 'open'
  const link = new Link(socket as Socket, {
    message: (message) => found.push(message),
    closed: (error) => {
      closed = isNsboxError(error) ? error.code : error
    },
  })
  for (let at = 0; at < text.length; at += size) socket.emit('data', text.slice(at, at + size))
  const result = { messages: found, closed }
  link.close()
  return result
}

fuzz(
  'lines are the same messages in whatever pieces they come, up to the first that is none',
  fc.tuple(stream, fc.integer({ min: 1, max: 200 })),
  ([bytes, size]) => {
    const text = bytes.toString()
    const { messages: found, closed } = taken(text, size)
    expect({ found: found.length, closed }).toEqual({
      found: taken(text, text.length || 1).messages.length,
      closed,
    })
    expect(['open', 'invalid_argument']).toContain(closed)
    const complete = text.split('\n').slice(0, -1)
    for (const [index, line] of complete.slice(0, found.length).entries()) {
      const value = JSON.parse(line)
      expect(found[index]).toEqual(value)
      // No descriptors were sent, so any message that announces some is refused.
      expect(Object.hasOwn(value, 'packet')).toBe(false)
    }
    if (closed === 'open') expect(found).toHaveLength(complete.length)
    return closed === 'open' ? 'accepted' : String(closed)
  },
)

fuzz(
  'what is read of a message has the types and bounds that were asked for',
  mutatedJson([launch, record, ended, toErrorFields(new Error('x'))]),
  (json) => {
    const value: unknown = JSON.parse(JSON.stringify(json))
    const told = attempt(() => checked(processRecord, value))
    const asked = attempt(() => checked(launchMessage, value))
    const error = attempt(() => checked(errorFields, value))
    if (told.value !== undefined) {
      expect(told.value.pid | 0).toBe(told.value.pid)
      expect(told.value.pid).toBeGreaterThan(0)
      const time = told.value.exit?.exitedAt
      if (time !== undefined) expect(Number.isNaN(new Date(time).getTime())).toBe(false)
      expect(checked(processRecord, JSON.parse(JSON.stringify(told.value)))).toEqual(told.value)
    }
    if (asked.value !== undefined) {
      AbortSignal.timeout(asked.value.timeout)
      expect(asked.value.command.every((word) => !word.includes('\0'))).toBe(true)
    }
    if (error.value !== undefined) expect(isNsboxError(fromErrorFields(error.value))).toBe(true)
    const outcomes = [told, asked, error]
    return outcomes.find(({ outcome }) => outcome === 'accepted')?.outcome ?? told.outcome
  },
)

describeWith({ linux: true }, 'with descriptors', () => {
  const given = pipe(4096)
  const packet = fc.record({
    name: fc.constantFrom('1', '2', '3', '', '0', '01', 'x', '1'.repeat(80)),
    count: fc.integer({ min: 0, max: 12 }),
  })
  const message = fc.record({
    packet: fc.constantFrom<unknown>(1, 2, 3, 0, -1, '1', 1.5, null),
    roles: fc.oneof(
      fc.subarray([...roles]),
      fc.constantFrom<unknown>(null, 1, ['pidfd', 'pidfd'], ['other'], [1], Array(300).fill('pidfd')),
    ),
  })

  fuzz(
    'descriptors are those that were announced, or the link ends, and none stays open',
    fc.tuple(fc.array(packet, { maxLength: 3 }), fc.array(message, { maxLength: 3 }), fc.boolean()),
    ([packets, announced, takes]) => {
      const before = openFiles().length
      const [here, there] = socketPair()
      for (const { name, count } of packets)
        if (name !== '') sendDescriptors(there, Buffer.from(name), Array(count).fill(given.read))
      const socket = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() })
      let received = 0
      let closed: unknown = 'open'
      const link = new Link(socket as Socket, {
        message: (message, ends) => {
          expect([...ends.all.keys()]).toEqual((message as { roles?: unknown }).roles ?? [])
          received += ends.all.size
          if (takes) for (const fd of ends.takeAll().values()) closeSync(fd)
        },
        closed: (error) => {
          closed = isNsboxError(error) ? error.code : error
        },
      })
      link.carryDescriptors(here)
      for (const each of announced) socket.emit('data', `${JSON.stringify(each)}\n`)
      link.close()
      closeSync(there)
      expect(openFiles()).toHaveLength(before)
      expect(received).toBeLessThanOrEqual(packets.reduce((sum, { count }) => sum + count, 0))
      expect(['open', undefined, 'invalid_argument']).toContain(closed)
      return closed === 'invalid_argument' ? 'invalid_argument' : 'accepted'
    },
    { runs: 150 },
  )
})
