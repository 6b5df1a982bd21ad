import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { makeDirectories } from './make-directories.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'nsbox-directories-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

const attempt = (path: string) => () => makeDirectories(path, 0o700)

test('makes what is missing, and tells it from above', () => {
  const [a, b, c] = [join(directory, 'a'), join(directory, 'a/b'), join(directory, 'a/b/c')]
  mkdirSync(a, { mode: 0o755 })
  expect(makeDirectories(c, 0o700)).toEqual([b, c])
  expect([a, b, c].map((path) => statSync(path).mode & 0o777)).toEqual([0o755, 0o700, 0o700])
  expect(makeDirectories(c, 0o711)).toEqual([])
  expect(statSync(c).mode & 0o777).toBe(0o700)
})

test('follows links, and goes through what is made on the way', () => {
  mkdirSync(join(directory, 'real'))
  symlinkSync('real', join(directory, 'link'))
  makeDirectories(join(directory, 'link/x'), 0o700)
  makeDirectories(`${directory}/new/../other/`, 0o700)
  for (const name of ['real/x', 'new', 'other'])
    expect(statSync(join(directory, name)).isDirectory()).toBe(true)
})

test('fails as mkdir does where a file, or a link to nothing, is in the way', () => {
  const [file, link] = [join(directory, 'file'), join(directory, 'link')]
  writeFileSync(file, '')
  symlinkSync('nothing', link)
  for (const path of [file, link])
    expect(attempt(path)).toThrow(expect.objectContaining({ code: 'EEXIST', path }))
  expect(attempt(join(file, 'a/b'))).toThrow(expect.objectContaining({ code: 'ENOTDIR' }))
  expect(attempt(join(link, 'a/b'))).toThrow(
    expect.objectContaining({ code: 'ENOENT', path: join(link, 'a') }),
  )
})

test.runIf(process.platform === 'linux')('ends where nothing can be made', () => {
  expect(attempt('/proc/nsbox/a/b')).toThrow(expect.objectContaining({ code: 'ENOENT', path: '/proc/nsbox' }))
  expect(attempt('')).toThrow(expect.objectContaining({ code: 'ENOENT' }))
})
