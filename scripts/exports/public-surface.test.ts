import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { tempDir } from '@nsbox/testing'
import { expect, test } from 'vitest'
import { publicSurface } from './public-surface.ts'

async function surface(files: Readonly<Record<string, string>>): Promise<string> {
  await using dir = await tempDir('nsbox-exports')
  for (const [path, text] of Object.entries(files)) {
    const file = join(dir.path, 'packages', path)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, text)
  }
  return publicSurface(dir.path)
}

test('lists values and types of every entry, and the files that a pattern reaches', async () => {
  const exported = { '.': 'index', './more': 'more/index', './gen/*': 'gen/*' }
  const entries = Object.entries(exported).map(([path, name]) => [
    path,
    { '@nsbox/source': `./src/${name}.ts` },
  ])
  const text = await surface({
    'b/package.json': JSON.stringify({
      name: '@nsbox/b',
      exports: { ...Object.fromEntries(entries), './package.json': './package.json' },
    }),
    'b/src/index.ts':
      "export { z, type T } from './t.ts'\nexport interface I {}\nexport const a = 1\nexport default a\n",
    'b/src/more/index.ts': "export type { U as V } from '../t.ts'\n",
    'b/src/gen/x/one.ts': '',
    'b/src/gen/two.ts': '',
    'a/package.json': JSON.stringify({
      name: '@nsbox/a',
      exports: { '.': { '@nsbox/source': './src/only.ts' } },
    }),
    'a/src/only.ts': 'export function f() {}\n',
  })
  expect(text.split('\n')).toEqual([
    ...['@nsbox/a', '  f', ''],
    ...['@nsbox/b', '  a', '  default', '  type I', '  type T', '  z', ''],
    ...['@nsbox/b/gen/*', '  two', '  x/one', ''],
    ...['@nsbox/b/more', '  type V', ''],
  ])
})

test('refuses an entry that does not list its exports', async () => {
  const files = {
    'a/package.json': JSON.stringify({ name: 'a', exports: { '.': { '@nsbox/source': './src/a.ts' } } }),
    'a/src/a.ts': "export * from './b.ts'\n",
  }
  await expect(surface(files)).rejects.toThrow('an entry lists its exports')
})
