import { appendFile, symlink, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { errorCode } from '@nsbox/errors'
import { runOrThrow, type TempDir, tempDir } from '@nsbox/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openLogFile } from './container-log.ts'

let directory: TempDir
let path: string
beforeEach(async () => {
  directory = await tempDir('nsbox-log')
  path = join(directory.path, 'log')
})
afterEach(() => directory[Symbol.asyncDispose]())

const linux = process.platform === 'linux'

test.runIf(linux)('a log is followed as it grows, and anew when it was made shorter', async () => {
  await writeFile(path, 'first\n')
  const stop = new AbortController()
  await using log = await openLogFile(path, 'c')
  const parts = log.follow(stop.signal)
  const next = async () => Buffer.from((await parts.next()).value!).toString()
  expect(await next()).toBe('first\n')
  await appendFile(path, 'second\n')
  expect(await next()).toBe('second\n')
  await truncate(path)
  await appendFile(path, 'anew\n')
  expect(await next()).toBe('anew\n')
  const end = parts.next()
  stop.abort()
  expect(await end).toEqual({ done: true, value: undefined })
})

test.runIf(linux)('of a long log the last 256 KiB are shown, from the beginning of a line', async () => {
  const line = `${'x'.repeat(99)}\n`
  await writeFile(path, line.repeat(10_000))
  const stop = new AbortController()
  await using log = await openLogFile(path, 'c')
  let text = ''
  for await (const part of log.follow(stop.signal)) {
    text += Buffer.from(part)
    if (text.length > (256 << 10) - 100) stop.abort()
  }
  expect(text).toBe(line.repeat(Math.floor((256 << 10) / 100)))
})

test.runIf(linux)(
  'H06 what is no file is no log: neither a link to one nor a FIFO, which nobody waits for',
  async () => {
    await writeFile(path, 'secret')
    const [link, fifo] = [join(directory.path, 'link'), join(directory.path, 'fifo')]
    await symlink(path, link)
    await runOrThrow('mkfifo', [fifo])
    const refusal = (name: string) => openLogFile(name, 'c').catch((error) => error)
    expect(String(await refusal(link))).toContain('log of container "c"')
    expect(errorCode(await refusal(fifo))).toBe('not_found')
    expect(errorCode(await refusal('/dev/null'))).toBe('not_found')
    expect(errorCode(await refusal(join(directory.path, 'none')))).toBe('not_found')
  },
)
