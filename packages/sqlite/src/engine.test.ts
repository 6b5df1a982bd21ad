import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run, tempDir } from '@nsbox/testing'
import { expect, test } from 'vitest'
import { loadEngine } from './engine.js'

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
const hasOwn = major > 22 || (major === 22 && minor >= 16)

test('the engine of Node takes the place of one without a binary, without a word', async () => {
  await using directory = await tempDir('nsbox-engine')
  const broken = join(directory.path, 'node_modules/better-sqlite3')
  await mkdir(broken, { recursive: true })
  const text =
    "module.exports = class { constructor() { throw new Error('Could not locate the bindings file') } }"
  await writeFile(join(broken, 'index.js'), text)
  await copyFile(join(import.meta.dirname, 'engine.js'), join(directory.path, 'engine.mjs'))
  const program = join(directory.path, 'program.mjs')
  await writeFile(
    program,
    `import { loadEngine } from './engine.mjs'
    const engine = loadEngine()
    const value = engine?.open(':memory:').prepare('SELECT 1 AS one').get().one
    console.log(engine?.name, value, loadEngine('node:sqlite') === engine)`,
  )
  const { code, stdout, stderr } = await run(process.execPath, [program], { env: { NODE_PATH: undefined } })
  const expected = hasOwn ? 'node:sqlite 1 true\n' : 'undefined undefined true\n'
  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: expected, stderr: '' })
})

test('a process has one engine', () => {
  expect(loadEngine()).toBe(loadEngine())
  expect(['better-sqlite3', 'node:sqlite']).toContain(loadEngine()!.name)
})
