import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { run, tempDir } from '@nsbox/testing'
import { expect, it } from 'vitest'
import { type Bundle, makeBundles } from './bundle.mjs'
import { compilable } from './code-cache/compilable.ts'

const bundle = (directory: string, options: Pick<Bundle, 'kind'> = {}) =>
  makeBundles(directory, [{ entry: 'src/main.ts', outfile: 'dist/main.js', ...options }])

async function packageDir(files: Readonly<Record<string, string>>) {
  const dir = await tempDir()
  for (const [name, text] of Object.entries({ 'package.json': '{"type":"module"}', ...files })) {
    await mkdir(dirname(join(dir.path, name)), { recursive: true })
    await writeFile(join(dir.path, name), text)
  }
  return dir
}

it('makes a file that runs without what it was made from', async () => {
  await using dir = await packageDir({
    'src/main.ts':
      `import word from 'old'\nawait using _ = { async [Symbol.asyncDispose]() { ` +
      'console.log(word as string) } }',
    'node_modules/old/package.json': '{"name":"old","main":"main.js"}',
    'node_modules/old/main.js': `module.exports = require('path').basename('a/word')`,
  })
  await bundle(dir.path)
  await using elsewhere = await packageDir({})
  const moved = join(elsewhere.path, 'main.js')
  await run('cp', [join(dir.path, 'dist/main.js'), moved])
  expect(await run(process.execPath, [moved])).toMatchObject({ code: 0, stdout: 'word\n' })
})

it('puts what is imported dynamically into files of its own', async () => {
  await using dir = await packageDir({
    'src/main.ts': `import { a } from './both.ts'
      if (process.argv[2]) console.log((await import('./seldom.ts')).b, a)`,
    'src/seldom.ts': `import { a } from './both.ts'\nexport const b = a + ' seldom'`,
    'src/both.ts': `export const a = 'both'`,
  })
  const main = join(dir.path, 'dist/main.js')
  const chunks = () => readdir(join(dir.path, 'dist/chunks'))
  await bundle(dir.path)
  const first = await chunks()
  expect(await readFile(main, 'utf8')).not.toContain('seldom"')
  expect(await run(process.execPath, [main, 'x'])).toMatchObject({ code: 0, stdout: 'both seldom both\n' })
  await writeFile(join(dir.path, 'src/both.ts'), `export const a = 'changed'`)
  await bundle(dir.path)
  expect(await run(process.execPath, [main, 'x'])).toMatchObject({ stdout: 'changed seldom changed\n' })
  expect(await chunks()).toHaveLength(first.length)
})

it("takes workspace packages' sources", async () => {
  await using dir = await packageDir({
    'src/main.ts': `import { word } from '@nsbox/errors'\nconsole.log(word)`,
    'node_modules/@nsbox/errors/package.json': JSON.stringify({
      name: '@nsbox/errors',
      type: 'module',
      exports: { '@nsbox/source': './index.ts', default: './missing.js' },
    }),
    'node_modules/@nsbox/errors/index.ts': `export const word: string = 'source'`,
  })
  await bundle(dir.path)
  expect(await run(process.execPath, [join(dir.path, 'dist/main.js')])).toMatchObject({ stdout: 'source\n' })
})

const keep = pathToFileURL(join(import.meta.dirname, 'code-cache/keep.mjs')).href

it('runs a program from what V8 has compiled of it if that is of the same program, and without it too', async () => {
  await using dir = await packageDir({
    'src/main.ts': `console.log(import.meta.url.endsWith('main.js'), new Error().stack!.includes('.cjs:'))`,
  })
  const program = () => run(process.execPath, [join(dir.path, 'dist/main.js')])
  const make = () => bundle(dir.path, { kind: 'program' })
  await make()
  expect(await program()).toMatchObject({ code: 0, stdout: 'true false\n' })
  const placeholder = await compilable(join(dir.path, 'dist/main.js'))
  const kept = await run(process.execPath, [`--import=${keep}`, join(dir.path, 'dist/main.js')])
  expect(kept).toMatchObject({ code: 0, stdout: 'true true\n' })
  await rm(placeholder)
  expect(await program()).toMatchObject({ code: 0, stdout: 'true true\n' })
  // Another version of V8, or other flags.
  const other = await run(process.execPath, ['--no-opt', join(dir.path, 'dist/main.js')])
  expect(other).toMatchObject({ code: 0, stdout: 'true false\n' })
  await writeFile(join(dir.path, 'src/main.ts'), `console.log('another, of whatever length')`)
  await make()
  expect(await program()).toMatchObject({ code: 0, stdout: 'another, of whatever length\n' })
})

it('loads a library from what V8 has compiled of it, for the flags that its user sets before', async () => {
  await using dir = await packageDir({
    'src/main.ts': `export const from = () => /main-\\w+\\.cjs:/.test(new Error().stack!) ? 'compiled' : 'module'
      export class Made { from = from() }`,
    'user.mjs': `import v8 from 'node:v8'
      if (process.argv[2]) v8.setFlagsFromString(process.argv[2])
      const { from, Made } = await import('./dist/main.js')
      console.log(from(), new Made().from)`,
    'user.cjs': `console.log(require('./dist/main.js').from())`,
  })
  await bundle(dir.path, { kind: 'library' })
  const user = (...args: string[]) =>
    run(
      process.execPath,
      args.map((arg) => arg.replace(/^user/, `${dir.path}/$&`)),
    )
  expect(await user('user.mjs')).toMatchObject({ code: 0, stdout: 'module module\n' })
  expect(await user('user.cjs')).toMatchObject({ code: 0, stdout: 'module\n' })
  const placeholder = await compilable(join(dir.path, 'dist/main.js'))
  await user(`--import=${keep}`, 'user.mjs', '--heap-growing-percent=200')
  await rm(placeholder)
  const compiled = { code: 0, stdout: 'compiled compiled\n' }
  expect(await user('user.mjs', '--heap-growing-percent=200')).toMatchObject(compiled)
  expect(await user('user.mjs')).toMatchObject({ code: 0, stdout: 'module module\n' })
})

it('keeps no compiled form of what was loaded before other flags', async () => {
  await using dir = await packageDir({
    'src/main.ts': `import { setFlagsFromString } from 'node:v8'
      setFlagsFromString('--heap-growing-percent=200')
      console.log(new Error().stack!.includes('.cjs:'))`,
  })
  await bundle(dir.path, { kind: 'program' })
  const main = join(dir.path, 'dist/main.js')
  const placeholder = await compilable(main)
  expect(await run(process.execPath, [`--import=${keep}`, main])).toMatchObject({ stdout: 'true\n' })
  await rm(placeholder)
  expect((await readdir(join(dir.path, 'dist'))).filter((name) => name.endsWith('.cache'))).toEqual([])
})

it('spares programs the Headers of Node, and leaves these alone', async () => {
  await using dir = await packageDir({
    'src/main.ts': `import { made } from './made.ts'
      const { moduleLoadList } = process as unknown as { moduleLoadList: string[] }
      const loaded = moduleLoadList.some((name) => name.endsWith('undici/undici'))
      console.log(made.get('A'), made.constructor.name, loaded, globalThis.Headers.name)`,
    'src/made.ts': `export const made = new Headers({ a: 'b' })`,
  })
  await bundle(dir.path, { kind: 'program' })
  const { stdout } = await run(process.execPath, [join(dir.path, 'dist/main.js')])
  expect(stdout).toBe('b PlainHeaders false Headers\n')
})

it('leaves packages with native code outside, if they are dependencies', async () => {
  const main = { 'src/main.ts': `import '@nsbox/sqlite'` }
  await using undeclared = await packageDir(main)
  await expect(bundle(undeclared.path)).rejects.toThrow('@nsbox/sqlite')
  const dependencies = { '@nsbox/sqlite': '1' }
  await using declared = await packageDir({ ...main, 'package.json': JSON.stringify({ dependencies }) })
  await bundle(declared.path)
})
