import { mkdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describeWith } from '@nsbox/testing/describe-with'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type LayerSandbox, layerSandbox } from '../testing/layer-sandbox.ts'

describeWith({ linux: true, root: true }, 'the times of directories', () => {
  let sandbox: LayerSandbox
  beforeEach(async () => {
    sandbox = await layerSandbox()
  })
  afterEach(() => sandbox[Symbol.asyncDispose]())

  const directory = (name: string, mtime: number) => ({ type: '5', name, mtime, mode: 0o755 })
  const file = (name: string) => ({ name, content: 'x', mtime: 5 })
  const mtime = (name: string) => statSync(join(sandbox.root, name)).mtimeMs / 1000

  test('are those of their entries, however many there are and whatever is made in them later', async () => {
    // More than are kept open, so that each is closed and opened again.
    const names = Array.from({ length: 150 }, (_, index) => `d${index}`)
    await sandbox.apply([
      directory('./', 900),
      ...names.map((name, index) => directory(`${name}/`, 1000 + index)),
      ...names.map((name) => file(`${name}/one`)),
      ...names.map((name) => directory(`${name}/below/`, 77)),
      { type: '2', name: 'link', linkName: 'd3' },
      ...names.toReversed().map((name) => file(`${name}/below/two`)),
      file('link/three'),
      ...names.map((name) => ({ type: '1', name: `${name}/four`, linkName: 'd3/one' })),
    ])
    expect(mtime('.')).toBe(900)
    expect(names.map(mtime)).toEqual(names.map((_, index) => 1000 + index))
    expect(names.map((name) => mtime(`${name}/below`))).toEqual(names.map(() => 77))
  })

  test('are those of the last entry for each, and no entry’s where a later one took its place', async () => {
    await sandbox.apply([
      directory('twice/', 1),
      file('twice/a'),
      directory('twice/', 2),
      file('twice/b'),
      directory('gone/', 3),
      directory('gone/below/', 4),
      file('gone'),
      file('implied/x'),
    ])
    expect(mtime('twice')).toBe(2)
    expect(mtime('gone')).toBe(5)
    expect(mtime('implied')).toBeGreaterThan(1_000_000_000)
  })

  test('are those of their entries where content of lower layers is removed in them', async () => {
    const names = Array.from({ length: 100 }, (_, index) => `p/d${index}`)
    for (const name of names) mkdirSync(join(sandbox.root, name), { recursive: true })
    for (const name of names) writeFileSync(join(sandbox.root, name, 'lower'), '')
    await sandbox.apply(
      [
        directory('p/', 7),
        ...names.map((name, index) => directory(`${name}/`, 1000 + index)),
        ...names.map((name) => file(`${name}/own`)),
        { ...file('p/.wh..wh..opq'), content: '' },
      ],
      { form: 'plain' },
    )
    expect(mtime('p')).toBe(7)
    expect(names.map(mtime)).toEqual(names.map((_, index) => 1000 + index))
    expect(() => statSync(join(sandbox.root, 'p/d5/lower'))).toThrow('ENOENT')
  })
})
