import { describe, expect, it } from 'vitest'
import { check } from './testing/faultless-workspace.ts'

describe('trees', () => {
  const source = 'packages/content/src/store.ts'
  const breach = (call: string) =>
    `${source} calls ${call} of node:fs with options that may be recursive; see tree-rules.ts`

  it.each([
    ['rm', `import { rm } from 'node:fs/promises'; rm('a', { recursive: true, force: true })`],
    ['rmSync', `import { rmSync as remove } from 'node:fs'; remove('a', { force: true, recursive })`],
    ['cp', `import { cp } from 'node:fs/promises'; cp('a', 'b', { 'recursive': true })`],
    ['cpSync', `import * as fs from 'node:fs'; fs.cpSync('a', 'b', { recursive: true })`],
    ['readdir', `import fs from 'node:fs'; fs.promises.readdir('a', { recursive: true })`],
    ['readdirSync', `import { readdirSync } from 'fs'; readdirSync('a', { ...options })`],
    ['opendir', `import { promises } from 'node:fs'; promises.opendir('a', { recursive: true })`],
    ['rmdir', `import { rmdir } from 'node:fs'; rmdir('a', { recursive: true }, () => {})`],
    ['rm', `import { rm } from 'node:fs/promises'; const how = { recursive: true }; rm('a', how)`],
  ])('may not be walked by paths, as %s does in %s', async (call, text) => {
    expect(await check({ [source]: text })).toEqual([breach(call)])
    expect(await check({ 'packages/content/src/store.test.ts': text })).toEqual([])
    expect(await check({ [source]: text }, { [source]: 'its own' })).toEqual([])
  })

  it.each([
    `import { rm } from 'node:fs/promises'; rm('a', { force: true })`,
    `import { rm } from 'node:fs/promises'; rm('a', { recursive: false })`,
    `import { readdir } from 'node:fs/promises'; readdir('a', 'latin1')`,
    `import { readdirSync } from 'node:fs'; readdirSync('a', { withFileTypes: true })`,
    `import { mkdir } from 'node:fs/promises'; mkdir('a', { recursive: true })`,
    `const fs = { rm() {} }; fs.rm('a', { recursive: true })`,
  ])('are not walked by %s', async (text) => {
    expect(await check({ [source]: text })).toEqual([])
  })

  it('may not have an exemption that nobody needs', async () => {
    expect(await check({}, { [source]: 'its own' })).toEqual([
      `${source} is exempt in tree-rules.ts and has no recursive call of node:fs`,
    ])
  })
})
