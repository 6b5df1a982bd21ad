import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { tempDir } from '@nsbox/testing'
import { expect, test } from 'vitest'
import { longLines, maxLineLength } from './long-lines.ts'

const long = 'ä'.repeat(maxLineLength + 1)

test('finds long comments and texts by their places, and not what is generated or cannot be broken', async () => {
  await using dir = await tempDir('nsbox-lines')
  const files = {
    'packages/a/src/a.ts': `\n// ${long}\nconst a = '${long}'\n// ${long.slice(4)}\n`,
    'packages/dist/src/a.mjs': `// ${long}\n`,
    'docs/a.md': `| ${long} |\n${long}\na ${long}\n`,
    'packages/a/src/gen/a.ts': `a ${long}`,
    'packages/a/dist/a.js': `a ${long}`,
    'node_modules/a/a.js': `a ${long}`,
    '.git/a.md': `a ${long}`,
  }
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(dir.path, path)), { recursive: true })
    await writeFile(join(dir.path, path), text)
  }
  const places = longLines(dir.path).map((problem) => problem.split(': ')[0])
  expect(places.sort()).toEqual([
    'docs/a.md:3',
    'packages/a/src/a.ts:2',
    'packages/a/src/a.ts:3',
    'packages/dist/src/a.mjs:1',
  ])
})
