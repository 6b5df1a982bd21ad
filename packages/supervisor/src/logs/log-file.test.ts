import { appendFile, symlink, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { errorCode } from '@nsbox/errors'
import { runOrThrow, type TempDir, tempDir } from '@nsbox/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openLogOf, type ReadLogOptions } from './log-file.ts'

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
  await using log = await openLogOf(path, 'c')
  const parts = log.read({ writing: stop.signal, signal: stop.signal })
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

test.runIf(linux)('of a long log the last bytes are shown from the beginning of a line', async () => {
  const line = `${'x'.repeat(99)}\n`
  await writeFile(path, line.repeat(10_000))
  const bytes = 256 << 10
  expect(await textOf({ last: { bytes } })).toBe(line.repeat(Math.floor(bytes / line.length)))
  expect(await textOf({ last: { bytes: 2_000_000 } })).toHaveLength(1_000_000)
  await writeFile(path, 'x'.repeat(1000))
  expect(await textOf({ last: { bytes: 10 } })).toBe('')
})

test.runIf(linux)('the last lines are found from the end, whatever their lengths', async () => {
  const lines = [0, 1, 70_000, 0, 200_000, 3].map((length) => `${'x'.repeat(length)}\n`)
  await writeFile(path, lines.join(''))
  for (let count = 0; count <= lines.length + 1; count++)
    expect(await textOf({ last: { lines: count } })).toBe(
      lines.slice(Math.max(0, lines.length - count)).join(''),
    )
  await appendFile(path, 'no end')
  expect(await textOf({ last: { lines: 2 } })).toBe('xxx\nno end')
  await writeFile(path, '')
  expect(await textOf({ last: { lines: 2 } })).toBe('')
})

test.runIf(linux)('what is written shortly after the end of the writer is read as well', async () => {
  await writeFile(path, 'first\n')
  const ended = new AbortController()
  await using log = await openLogOf(path, 'c')
  let text = ''
  for await (const part of log.read({ writing: ended.signal })) {
    text += Buffer.from(part)
    if (ended.signal.aborted) continue
    ended.abort()
    setImmediate(() => void appendFile(path, 'last\n'))
  }
  expect(text).toBe('first\nlast\n')
})

test.runIf(linux)(
  'H06 what is no file is no log: neither a link to one nor a FIFO, which nobody waits for',
  async () => {
    await writeFile(path, 'secret')
    const [link, fifo] = [join(directory.path, 'link'), join(directory.path, 'fifo')]
    await symlink(path, link)
    await runOrThrow('mkfifo', [fifo])
    const refusal = (name: string) => openLogOf(name, 'c').catch((error) => error)
    expect(String(await refusal(link))).toContain('log of container "c"')
    expect(errorCode(await refusal(fifo))).toBe('not_found')
    expect(errorCode(await refusal('/dev/null'))).toBe('not_found')
    expect(errorCode(await refusal(join(directory.path, 'none')))).toBe('not_found')
    expect(String(await refusal(''))).toContain('--log-uri file:///PATH')
    expect(String(await refusal('binary:///bin/true'))).toContain('goes to a program')
  },
)

async function textOf(options: ReadLogOptions): Promise<string> {
  await using log = await openLogOf(path, 'c')
  const parts: Uint8Array[] = []
  for await (const part of log.read(options)) parts.push(part)
  return Buffer.concat(parts).toString()
}
