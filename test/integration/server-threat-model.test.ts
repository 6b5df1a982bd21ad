import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const docs = join(import.meta.dirname, '../../docs')

it('finds each attack of the threat model in the tests that are named for it', async () => {
  const text = await readFile(join(docs, 'threat-model.md'), 'utf8')
  const rows = [...text.matchAll(/^\| ([A-E]\d\d) \| .* \| (.*) \|$/gm)]
  expect(rows.length).toBeGreaterThan(25)
  const missing: string[] = []
  for (const [, id = '', files = ''] of rows) {
    const paths = [...files.matchAll(/\]\(([^)]+)\)/g)].map(([, path = '']) => path)
    expect(paths, id).not.toEqual([])
    for (const path of paths) {
      const test = await readFile(join(docs, path), 'utf8').catch(() => '')
      if (!test.includes(id)) missing.push(`${id} ${path}`)
    }
  }
  expect(missing).toEqual([])
})
