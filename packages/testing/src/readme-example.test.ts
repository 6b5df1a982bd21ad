import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, it } from 'vitest'
import { readmeExample } from './readme-example.ts'
import { tempDir } from './temp-dir.ts'

/** Executes the example of a README in a package named `it`, whose one export `word` is `'here'`. */
async function example(readme: string, section?: string): Promise<string[]> {
  await using dir = await tempDir()
  const exports = { '.': { '@nsbox/source': './index.ts', default: './missing.js' } }
  await writeFile(join(dir.path, 'package.json'), JSON.stringify({ name: 'it', type: 'module', exports }))
  await writeFile(join(dir.path, 'index.ts'), `export const word: string = 'here'`)
  await writeFile(join(dir.path, 'README.md'), readme)
  await readmeExample(pathToFileURL(join(dir.path, 'README.md')), { ...(section && { section }) })
  return readdir(dir.path)
}

const fenced = (language: string, code: string) => `\`\`\`${language}\n${code}\n\`\`\`\n`
const imports = `import { word } from 'it'\n`

it("runs the first example against the package's sources, and leaves no file behind", async () => {
  const readme = `# x\n${fenced('sh', 'exit 1')}${fenced('ts', `${imports}console.log(word)`)}${fenced('text', 'here')}`
  expect(await example(readme)).toEqual(['README.md', 'index.ts', 'package.json'])
})

it('rejects if the example fails', async () => {
  await expect(example(fenced('ts', `${imports}throw new Error(word + ' it broke')`))).rejects.toThrow(
    /here it broke/,
  )
})

it('rejects if it prints something else than promised', async () => {
  await expect(example(fenced('ts', `console.log('one')`) + fenced('text', 'two'))).rejects.toThrow(
    /promises\ntwo\nbut its example prints\none/,
  )
})

it('runs the first example of a section', async () => {
  const more = `${fenced('ts', 'console.log(2)')}${fenced('text', '2')}`
  const readme = `${fenced('ts', 'process.exit(1)')}\n## More\n\n${more}`
  expect(await example(readme, 'More')).toContain('README.md')
  await expect(example(readme, 'Less')).rejects.toThrow(/no section Less/)
})

it('rejects if there is no example', async () => {
  await expect(example('# x\n')).rejects.toThrow(/no example/)
})
