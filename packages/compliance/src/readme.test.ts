import { randomBytes } from 'node:crypto'
import { readFile, rm, writeFile } from 'node:fs/promises'

const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')
const example = /^```ts\n([\s\S]*?)^```$/m.exec(readme)![1]!

// The example declares its tests in this file.
const file = new URL(`./testing/.readme-example-${randomBytes(6).toString('hex')}.ts`, import.meta.url)
try {
  await writeFile(file, example)
  await import(file.href)
} finally {
  await rm(file, { force: true })
}
