import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readDocument, type reasonsNotToRun } from './document.ts'
import { followedDocuments } from './followed-documents.ts'

const root = join(import.meta.dirname, '../../..')
const found = await readdir(join(root, 'docs'), { recursive: true, withFileTypes: true })
const documents = [
  'README.md',
  ...found
    .filter((entry) => entry.name.endsWith('.md'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name))),
].sort()

it('all documents with commands are followed by a test, and no others', async () => {
  const withCommands: string[] = []
  for (const path of documents) if ((await readDocument(path)).steps.length > 0) withCommands.push(path)
  const followed: string[] = Object.values(followedDocuments).flat()
  expect(followed.sort()).toEqual(withCommands)
})

it('few commands are excused, each for a reason that is allowed', async () => {
  const excused: Record<string, number> = {}
  for (const path of documents)
    for (const { reason } of (await readDocument(path)).notRun) excused[reason] = (excused[reason] ?? 0) + 1
  expect(excused).toEqual({
    'as in docs/quick-start.md': 2,
    'needs a program that the tests do not install': 4,
    'needs a running systemd': 3,
    'would run all tests': 2,
  } satisfies Partial<Record<(typeof reasonsNotToRun)[number], number>>)
})

it('commands that are excused since they are as in the quick start are there', async () => {
  const { steps } = await readDocument('docs/quick-start.md')
  const there = steps.flatMap(({ text }) => text.split('\n'))
  for (const path of documents)
    for (const { reason, text } of (await readDocument(path)).notRun)
      if (reason === 'as in docs/quick-start.md')
        expect(there).toEqual(
          expect.arrayContaining(text.split('\n').map((line) => line.replace(/ +#.*$/, ''))),
        )
})

describe.each(documents)('%s', (path) => {
  it('has nothing in a block that nobody runs or reads', async () => {
    expect((await readDocument(path)).unknown).toEqual([])
  })

  it('leads to files and headings that exist', async () => {
    const missing: string[] = []
    for (const link of linksOf(await text(path))) {
      const [file = '', heading] = link.split('#')
      const target = file === '' ? path : join(dirname(path), file)
      if (!existsSync(join(root, target))) missing.push(link)
      else if (heading && !(await headingsOf(target)).includes(heading)) missing.push(link)
    }
    expect(missing).toEqual([])
  })
})

const text = (path: string) => readFile(join(root, path), 'utf8')

/** What its links lead to, but for other sites. */
function linksOf(markdown: string): string[] {
  const prose = markdown.replaceAll(/`[^`\n]*`/g, '')
  const links = Array.from(prose.matchAll(/\]\(([^)\s]+)\)/g), ([, link]) => link!)
  return links.filter((link) => !/^[a-z]+:/.test(link))
}

/** The names by which links lead to its headings; a directory is shown by its README. */
async function headingsOf(path: string): Promise<string[]> {
  const markdown = await text(path.endsWith('.md') ? path : join(path, 'README.md'))
  return Array.from(markdown.matchAll(/^#+ (.*)$/gm), ([, heading]) =>
    heading!
      .toLowerCase()
      .replaceAll(/[^\p{Letter}\p{Number} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}
