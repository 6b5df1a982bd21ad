import { expect, it } from 'vitest'
import { gathered } from './gathered.ts'

const bytes = (text: string) => Buffer.from(text)
const later = () => new Promise((resolve) => setImmediate(resolve))

async function collect(source: AsyncIterable<Uint8Array>, busy = later): Promise<string[]> {
  const pieces: string[] = []
  for await (const piece of source) {
    pieces.push(Buffer.from(piece).toString())
    for (let turn = 0; turn < 10; turn++) await busy()
  }
  return pieces
}

it('gives what comes while the taker is busy as one piece', async () => {
  const source = async function* () {
    for (const letter of 'abcdef') yield bytes(letter)
  }
  expect(await collect(gathered(source, 100))).toEqual(['a', 'bcdef'])
})

it('gives a piece at once if the taker waits for it', async () => {
  const source = async function* () {
    for (const letter of 'abc') {
      for (let turn = 0; turn < 20; turn++) await later()
      yield bytes(letter)
    }
  }
  expect(await collect(gathered(source, 100))).toEqual(['a', 'b', 'c'])
})

it('reads no further ahead than it may', async () => {
  let given = 0
  const source = async function* () {
    for (; given < 20; given++) yield bytes('xx')
  }
  for await (const _ of gathered(source, 4)) {
    await later()
    expect(given).toBeLessThanOrEqual(3)
    break
  }
})

it('gives what came before the source failed, and then its error', async () => {
  const source = async function* () {
    yield bytes('a')
    yield bytes('b')
    throw new Error('gone')
  }
  const pieces: string[] = []
  const taking = async () => {
    for await (const piece of gathered(source, 100)) {
      pieces.push(Buffer.from(piece).toString())
      await later()
    }
  }
  await expect(taking()).rejects.toThrow('gone')
  expect(pieces.join('')).toBe('ab')
})

it('ends the source when the taker wants no more, and when the signal aborts', async () => {
  let closed = 0
  const source = async function* (signal: AbortSignal) {
    try {
      yield bytes('a')
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    } finally {
      closed++
    }
  }
  for await (const _ of gathered(source, 100)) break
  expect(closed).toBe(1)
  const abort = new AbortController()
  const taking = collect(gathered(source, 100, { signal: abort.signal }), async () => {
    abort.abort(new Error('no more'))
  })
  await expect(taking).rejects.toThrow('no more')
  expect(closed).toBe(2)
})
