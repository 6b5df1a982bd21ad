import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isNsboxError } from '@nsbox/errors'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { tryFlock } from './flock.ts'

let directory: string
let file: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nsbox-flock-'))
  file = join(directory, 'lock')
})
afterEach(() => rm(directory, { recursive: true }))

test('a lock excludes a second open of the same file until it is closed', async () => {
  const first = await open(file, 'a')
  const second = await open(file, 'a')
  expect(tryFlock(first.fd)).toBe(true)
  expect(tryFlock(second.fd)).toBe(false)
  await first.close()
  expect(tryFlock(second.fd)).toBe(true)
  await second.close()
})

test('taking a lock again that is already held succeeds', async () => {
  const handle = await open(file, 'a')
  expect(tryFlock(handle.fd)).toBe(true)
  expect(tryFlock(handle.fd)).toBe(true)
  await handle.close()
})

test('a lock excludes another process and ends when that process is killed', async () => {
  const source = new URL('./index.ts', import.meta.url).href
  const script = `
    import { openSync } from 'node:fs'
    import { tryFlock } from ${JSON.stringify(source)}
    process.stdout.write(String(tryFlock(openSync(${JSON.stringify(file)}, 'a'))))
    setInterval(() => {}, 1000)`
  const child = spawn(
    process.execPath,
    ['--conditions=@nsbox/source', '--import', 'tsx', '--input-type=module', '-e', script],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const [said] = await once(child.stdout, 'data')
  expect(String(said)).toBe('true')
  const handle = await open(file, 'a')
  expect(tryFlock(handle.fd)).toBe(false)
  child.kill('SIGKILL')
  await once(child, 'exit')
  expect(tryFlock(handle.fd)).toBe(true)
  await handle.close()
})

test('an error of the system call carries its errno', () => {
  const failure = thrown(() => tryFlock(1_000_000))
  expect(isNsboxError(failure) && failure.details.errno).toBe('EBADF')
})

function thrown(work: () => unknown): unknown {
  try {
    work()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}
