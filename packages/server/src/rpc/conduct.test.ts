import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Conduct } from './conduct.ts'

/** A fake socket of a named client. */
class FakeSocket extends EventEmitter {
  readonly client: string
  destroyed = false
  constructor(client: string) {
    super()
    this.client = client
  }
  destroy() {
    this.destroyed = true
    this.emit('close')
  }
}

let conduct: Conduct
let ended: string[]

beforeEach(() => {
  vi.useFakeTimers()
  ended = []
  conduct = new Conduct({
    now: () => Date.now(),
    clientOf: (socket) => (socket as unknown as FakeSocket).client,
  })
})
afterEach(() => {
  vi.useRealTimers()
})

function connect(client: string, name = client) {
  const socket = new FakeSocket(client) as FakeSocket & Socket
  const connection = {}
  const access = { wasUsed: true }
  let admitted = false
  conduct.admit(socket, access, () => {
    admitted = true
    conduct.introduce(connection, socket, () => {
      ended.push(name)
      socket.destroy()
    })
  })
  return { socket, connection, access, isAdmitted: () => admitted }
}

describe('D17 a client that does too much in vain', () => {
  test('loses all its connections, and others do not', () => {
    const [a1] = [connect('a', 'a1'), connect('a', 'a2'), connect('b')]
    for (let i = 0; i < 2000; i++) conduct.fault(a1!.connection)
    expect(ended).toEqual([])
    conduct.fault(a1!.connection)
    expect(ended).toEqual(['a1', 'a2'])
  })

  test('is not listened to for a while, longer each time', () => {
    for (const pause of [1000, 2000, 4000, 8000, 16_000, 32_000, 32_000]) {
      const { connection } = connect('a')
      conduct.fault(connection, 2001)
      const next = connect('a')
      vi.advanceTimersByTime(pause - 1)
      expect(next.isAdmitted()).toBe(false)
      vi.advanceTimersByTime(1)
      expect(next.isAdmitted()).toBe(true)
      next.socket.destroy()
    }
  })

  test('may have a few connections wait meanwhile, and others none', () => {
    conduct.fault(connect('a').connection, 2001)
    const waiting = Array.from({ length: 20 }, () => connect('a'))
    expect(waiting.map(({ socket }) => socket.destroyed)).toEqual(waiting.map((_, index) => index >= 16))
    waiting[0]!.socket.destroy()
    expect(connect('a').socket.destroyed).toBe(false)
    expect(connect('b').isAdmitted()).toBe(true)
  })

  test('has no more than 128 connections', () => {
    const connections = Array.from({ length: 130 }, () => connect('a'))
    expect(connections.filter(({ socket }) => socket.destroyed)).toHaveLength(2)
    expect(connect('b').socket.destroyed).toBe(false)
    connections[0]!.socket.destroy()
    expect(connect('a').isAdmitted()).toBe(true)
  })

  test('is one that makes connections and no calls', () => {
    for (let i = 0; i <= 2000; i++) {
      const { access, socket } = connect('a')
      access.wasUsed = false
      socket.destroy()
    }
    expect(connect('a').isAdmitted()).toBe(false)
    expect(connect('b').isAdmitted()).toBe(true)
  })

  test('is one that asks for more connections than it may have', () => {
    const connections = Array.from({ length: 128 + 2001 }, () => connect('a'))
    expect(connections.every(({ socket }) => socket.destroyed)).toBe(true)
    expect(ended).toHaveLength(128)
  })

  test('is not let off by making a new connection', () => {
    for (let i = 0; i < 3; i++) {
      const { connection, socket } = connect('a')
      conduct.fault(connection, 700)
      socket.destroy()
    }
    expect(ended).toEqual(['a'])
  })
})

test('fifty calls in vain each second are nothing', () => {
  const { connection } = connect('a')
  conduct.fault(connection, 1999)
  for (let seconds = 0; seconds < 100; seconds++) {
    vi.advanceTimersByTime(1000)
    conduct.fault(connection, 50)
  }
  expect(ended).toEqual([])
})

test('a client that is gone is forgotten in time', () => {
  const { connection, socket } = connect('a')
  conduct.fault(connection, 10)
  socket.destroy()
  expect(vi.getTimerCount()).toBe(1)
  vi.advanceTimersByTime(120_000)
  expect(vi.getTimerCount()).toBe(0)
})
