import { chmod, chown, mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { errorCode } from '@nsbox/errors'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openDataRoot } from './data-root.ts'
import { serverUuid } from './server-uuid.ts'
import { openStateDirectory } from './state-directory.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nsbox-root-'))
})
afterEach(() => rm(directory, { recursive: true }))

const mode = async (path: string) => (await stat(path)).mode & 0o777

test('a root has one holder, also within one process, until it is let go', async () => {
  const path = join(directory, 'a', 'root')
  const first = await openDataRoot(path)
  const refusal = await openDataRoot(path).catch((error) => error)
  expect(errorCode(refusal)).toBe('failed_precondition')
  expect(String(refusal)).toContain(`data root "${path}" is in use by process ${process.pid}`)
  await first[Symbol.asyncDispose]()
  await (await openDataRoot(path))[Symbol.asyncDispose]()
})

test.runIf(process.platform === 'linux')('a root where nothing can be made is refused by name', async () => {
  await expect(openDataRoot('/proc/nsbox/root')).rejects.toMatchObject({
    code: 'not_found',
    message: expect.stringContaining("mkdir '/proc/nsbox'"),
  })
})

test('a root that is reached by another name is still the same root', async () => {
  await using _root = await openDataRoot(join(directory, 'root'))
  await symlink('root', join(directory, 'alias'))
  const refusal = await openDataRoot(join(directory, 'alias')).catch((error) => error)
  expect(errorCode(refusal)).toBe('failed_precondition')
})

test('D01 a root is closed to others, also one that was open', async () => {
  const path = join(directory, 'root')
  await (await openDataRoot(path))[Symbol.asyncDispose]()
  expect(await mode(path)).toBe(0o700)
  expect(await mode(join(path, 'lock'))).toBe(0o600)
  await chmod(path, 0o755)
  await (await openDataRoot(path))[Symbol.asyncDispose]()
  expect(await mode(path)).toBe(0o700)
})

test('a directory with files of something else is left alone', async () => {
  await writeFile(join(directory, 'diary'), '')
  await chmod(directory, 0o755)
  const refusal = await openDataRoot(directory).catch((error) => error)
  expect(errorCode(refusal)).toBe('failed_precondition')
  expect(await mode(directory)).toBe(0o755)
})

test('a new file system is a root', async () => {
  await mkdir(join(directory, 'lost+found'))
  await chmod(directory, 0o755)
  await (await openDataRoot(directory))[Symbol.asyncDispose]()
  expect(await mode(directory)).toBe(0o700)
})

test('the lock is not followed through a link', async () => {
  await symlink('/dev/null', join(directory, 'lock'))
  await expect(openDataRoot(directory)).rejects.toThrow()
})

test('D01 a state directory that others can write to is refused; one that is made lets them through', async () => {
  await chmod(directory, 0o1777)
  expect(errorCode(await openStateDirectory(directory).catch((error) => error))).toBe('failed_precondition')
  const state = await openStateDirectory(join(directory, 'state'))
  expect(await mode(state.path)).toBe(0o711)
})

test.runIf(process.geteuid?.() === 0)(
  'D01 a root or state directory of another user is refused',
  async () => {
    for (const [what, open] of [
      ['data root', openDataRoot],
      ['state directory', openStateDirectory],
    ] as const) {
      const path = join(directory, what)
      await mkdir(path, { mode: 0o700 })
      await chown(path, 65_534, 65_534)
      const refusal = await open(path).catch((error) => error)
      expect(errorCode(refusal)).toBe('failed_precondition')
      expect(String(refusal)).toContain(`${what} "${path}" belongs to another user, 65534`)
      expect(await readdir(path)).toEqual([])
    }
  },
)

test('a temporary state directory goes at the end', async () => {
  const state = await openStateDirectory(undefined)
  expect(await mode(state.path)).toBe(0o711)
  await state[Symbol.asyncDispose]()
  await expect(stat(state.path)).rejects.toThrow('ENOENT')
})

test('the identity of a root stays, and a damaged one is replaced', async () => {
  const first = await serverUuid(directory)
  expect(await serverUuid(directory)).toBe(first)
  await writeFile(join(directory, 'uuid'), 'torn')
  const second = await serverUuid(directory)
  expect(second).toMatch(/^[0-9a-f-]{36}$/)
  expect(await serverUuid(directory)).toBe(second)
})
