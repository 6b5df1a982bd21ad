import { closeSync, readdirSync, writeSync } from 'node:fs'
import { pipe } from '@nsbox/sys'
import { describeWith } from '@nsbox/testing/describe-with'
import { beforeEach, expect, test } from 'vitest'
import { readPipe } from './read-pipe.ts'

describeWith({ linux: true }, 'reading a pipe', () => {
  let open: string[]
  beforeEach(() => {
    open = readdirSync('/proc/self/fd')
  })

  test('gives all bytes in order, in chunks no bigger than its buffer', async () => {
    const { read, write } = pipe(65536)
    const sent = Buffer.from(Array.from({ length: 50_000 }, (_, index) => index % 251))
    writeSync(write, sent)
    const received: Buffer[] = []
    for await (const chunk of readPipe(read, 4096)) {
      expect(chunk.length).toBeLessThanOrEqual(4096)
      received.push(Buffer.from(chunk))
      if (received.length === 1) closeSync(write)
    }
    expect(Buffer.concat(received)).toEqual(sent)
    await expect.poll(() => readdirSync('/proc/self/fd')).toEqual(open)
  })

  test('that is ended early closes it', async () => {
    const { read, write } = pipe(65536)
    writeSync(write, Buffer.alloc(10_000))
    for await (const _ of readPipe(read, 4096)) break
    closeSync(write)
    await expect.poll(() => readdirSync('/proc/self/fd')).toEqual(open)
  })

  test('that is aborted rejects, though nothing comes', async () => {
    const { read, write } = pipe(65536)
    const abort = new AbortController()
    const next = readPipe(read, 4096, abort.signal).next()
    abort.abort()
    await expect(next).rejects.toMatchObject({ name: 'AbortError' })
    closeSync(write)
    await expect.poll(() => readdirSync('/proc/self/fd')).toEqual(open)
  })
})
