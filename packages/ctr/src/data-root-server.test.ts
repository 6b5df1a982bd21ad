import { mkdir, open } from 'node:fs/promises'
import { join } from 'node:path'
import { tryFlock } from '@nsbox/sys'
import { tempDir } from '@nsbox/testing'
import { expect, test, vi } from 'vitest'
import { openSession } from './session.ts'

test('commands without a daemon share a data root: the first serves the others, and ends after them', async () => {
  await using directory = await tempDir('nsbox-ctr-shared')
  const options = { root: join(directory.path, 'root') }
  const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  try {
    const first = await openSession(options, {})
    await first.client.leases.create({ id: 'of-the-first' })
    const second = await openSession(options, {})
    const third = await openSession(options, {})
    expect([first, second, third].map(({ isEmbedded }) => isEmbedded)).toEqual([true, true, true])
    expect(await second.client.leases.list()).toMatchObject([{ id: 'of-the-first' }])
    const ended: string[] = []
    const ending = first[Symbol.asyncDispose]().then(() => ended.push('first'))
    await third[Symbol.asyncDispose]()
    await vi.waitFor(() => expect(said.mock.calls.flat().join('')).toMatch(/^done; serving other commands/))
    await second.client.leases.create({ id: 'of-the-second' })
    ended.push('second')
    await second[Symbol.asyncDispose]()
    await ending
    expect(ended).toEqual(['second', 'first'])
    await using later = await openSession(options, {})
    expect(await later.client.leases.list()).toHaveLength(2)
    expect(said).toHaveBeenCalledOnce()
  } finally {
    said.mockRestore()
  }
})

test('a command waits for a data root whose holder cannot be reached, and says so', async () => {
  await using directory = await tempDir('nsbox-ctr-waiting')
  const root = join(directory.path, 'root')
  await mkdir(root, { mode: 0o700 })
  const lock = await open(join(root, 'lock'), 'w+', 0o600)
  expect(tryFlock(lock.fd)).toBe(true)
  await lock.write(`1234\n{"address":"${join(directory.path, 'gone.sock')}","temporary":true}\n`)
  const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  try {
    expect(await openSession({ root, timeout: 50 }, {}).catch((error) => error.name)).toBe('TimeoutError')
    const opening = openSession({ root }, {})
    await vi.waitFor(() => expect(said).toHaveBeenCalledTimes(2))
    await lock.close()
    await using session = await opening
    expect(await session.client.leases.list()).toEqual([])
    for (const [line] of said.mock.calls)
      expect(line).toBe(
        `waiting: data root ${JSON.stringify(root)} is in use by process 1234: failed precondition\n`,
      )
  } finally {
    said.mockRestore()
  }
})
