import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { run, tempDir } from '@nsbox/testing'
import { describe, expect, it } from 'vitest'
import { systemPackages } from '../setup/system-packages.mjs'
import { checkWorkspace } from './check-workspace.ts'

interface Declared {
  dependencies?: readonly string[]
  devDependencies?: readonly string[]
  peerDependencies?: Readonly<Record<string, string>>
}

type Files = Readonly<Record<string, string>>

/** The text of a package.json; dependencies in short form, those of the workspace with their scope. */
function manifest(name: string, { dependencies = [], devDependencies = [], ...rest }: Declared = {}): string {
  const versions = (names: readonly string[]) =>
    Object.fromEntries(names.map((each) => [each, each.startsWith('@nsbox/') ? 'workspace:*' : 'catalog:']))
  return JSON.stringify({
    name,
    dependencies: versions(dependencies),
    devDependencies: versions(devDependencies),
    ...rest,
  })
}

const row = (name: string) => `| \`${name}\` | because |\n`
const documentation = systemPackages.map(({ name }) => row(name)).join('')

/** What the check says about a small workspace without faults, changed by `files`. */
async function check(files: Files = {}, exempt: Files = {}): Promise<string[]> {
  await using dir = await tempDir()
  const all: Files = {
    'package.json': manifest('root'),
    'docs/dependencies.md': documentation,
    'packages/errors/package.json': manifest('@nsbox/errors'),
    'packages/errors/src/index.ts': `export { code } from './code.ts'`,
    'packages/errors/src/code.ts': 'export const code = 1',
    'packages/oci/package.json': manifest('@nsbox/oci', { dependencies: ['@nsbox/errors'] }),
    'packages/oci/src/digest.ts': `import { code } from '@nsbox/errors'\nexport const digest = code`,
    'packages/content/package.json': manifest('@nsbox/content', { dependencies: ['@nsbox/oci'] }),
    'packages/content/src/store.ts': `import type { digest } from '@nsbox/oci'\nexport type D = typeof digest`,
    ...files,
  }
  for (const [name, text] of Object.entries(all)) {
    const path = join(dir.path, name)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, text)
  }
  for (const [name, target] of [
    ['packages/oci/node_modules/@nsbox/errors', 'packages/errors'],
    ['packages/content/node_modules/@nsbox/oci', 'packages/oci'],
  ] as const) {
    const link = join(dir.path, name)
    await mkdir(dirname(link), { recursive: true })
    await symlink(join(dir.path, target), link)
  }
  return checkWorkspace(dir.path, exempt)
}

it('says nothing about a workspace without faults', async () => {
  expect(await check()).toEqual([])
})

describe('manifests', () => {
  it.each([
    ['a higher floor', 'oci', '@nsbox/content'],
    ['the same floor', 'oci', '@nsbox/filters'],
    ['a package without a floor', 'content', '@nsbox/unheard-of'],
  ])('may not name %s', async (_, name, dependency) => {
    const changed = manifest(`@nsbox/${name}`, { dependencies: [dependency] })
    const problem = `${name} depends on ${dependency.slice('@nsbox/'.length)}, against the floors`
    expect(await check({ [`packages/${name}/package.json`]: changed })).toContain(problem)
  })

  it('may name a higher floor for development', async () => {
    const changed = manifest('@nsbox/oci', {
      dependencies: ['@nsbox/errors'],
      devDependencies: ['@nsbox/content'],
    })
    expect(await check({ 'packages/oci/package.json': changed })).toEqual([])
  })

  it('must belong to a package with a floor', async () => {
    const added = { 'packages/extra/package.json': manifest('@nsbox/extra') }
    expect(await check(added)).toEqual(['extra has no floor'])
  })

  it('take versions from the catalog and the workspace', async () => {
    const content = JSON.stringify({
      name: '@nsbox/content',
      dependencies: { '@nsbox/oci': '1.0.0', undici: '^7' },
    })
    const problems = await check({
      'packages/content/package.json': content,
      'docs/dependencies.md': documentation + row('undici'),
    })
    expect(problems).toEqual([
      'content asks for @nsbox/oci 1.0.0; versions stand in the catalog',
      'content asks for undici ^7; versions stand in the catalog',
    ])
  })

  it('leave native modules to the one package that wraps them', async () => {
    const problems = await check({
      'packages/content/package.json': manifest('@nsbox/content', { dependencies: ['@nsbox/oci', 'koffi'] }),
      'docs/dependencies.md': documentation + row('koffi'),
    })
    expect(problems).toEqual(['content depends on koffi, which only sys may use'])
  })

  it('of the shared test code name no package of the workspace', async () => {
    const testing = manifest('@nsbox/testing', { dependencies: ['@nsbox/errors'] })
    expect(await check({ 'packages/testing/package.json': testing })).toEqual([
      "testing depends on errors; every package's tests use it, so it may depend on none",
    ])
  })
})

describe('imports', () => {
  const store = 'packages/content/src/store.ts'
  it.each([
    [`import '@nsbox/errors'`, 'imports @nsbox/errors, which its package.json does not declare for it'],
    [`import type { a } from 'undici'`, 'imports undici, which its package.json does not declare for it'],
    [`export { a } from 'undici/x'`, 'imports undici/x, which its package.json does not declare for it'],
    [`await import('undici')`, 'imports undici, which its package.json does not declare for it'],
    [`let a: import('undici').A`, 'imports undici, which its package.json does not declare for it'],
    [`import '../../oci/src/digest.ts'`, 'imports ../../oci/src/digest.ts, which is outside of its package'],
    [`import './none.ts'`, 'imports ./none.ts, which does not exist'],
    [`import '@nsbox/content'`, 'imports @nsbox/content, its own package'],
  ])('are found in %s', async (text, problem) => {
    expect(await check({ [store]: text })).toEqual([`${store} ${problem}`])
  })

  it('in comments and strings do not count', async () => {
    expect(await check({ [store]: `// import 'a'\nexport const b = "import 'c'"` })).toEqual([])
  })

  it('of Node itself need no declaration', async () => {
    expect(await check({ [store]: `import 'node:fs'` })).toEqual([])
  })

  it('of development dependencies are for tests only', async () => {
    const dev = { dependencies: ['@nsbox/oci'], devDependencies: ['vitest'] }
    const files = {
      'packages/content/package.json': manifest('@nsbox/content', dev),
      'docs/dependencies.md': documentation + row('vitest'),
    }
    const text = `import 'vitest'`
    expect(await check({ ...files, 'packages/content/src/store.test.ts': text })).toEqual([])
    expect(await check({ ...files, 'packages/content/src/testing/store.ts': text })).toEqual([])
    expect(await check({ ...files, [store]: text })).toEqual([
      `${store} imports vitest, which its package.json does not declare for it`,
    ])
  })

  it('of peers are for compliance suites only', async () => {
    const peers = { dependencies: ['@nsbox/oci'], peerDependencies: { vitest: '>=4' } }
    const files = {
      'packages/compliance/package.json': manifest('@nsbox/compliance', peers),
      'packages/content/package.json': manifest('@nsbox/content', peers),
      'docs/dependencies.md': documentation + row('vitest'),
    }
    const text = `import 'vitest'`
    expect(await check({ ...files, 'packages/compliance/src/content/index.ts': text })).toEqual([])
    expect(await check({ ...files, [store]: text })).toHaveLength(1)
  })

  it("never take their own package's index, except in tests and other indexes", async () => {
    const source = 'packages/errors/src'
    const files = {
      [`${source}/index.test.ts`]: `import './index.ts'`,
      [`${source}/more/index.ts`]: `export { code } from '../index.ts'`,
    }
    expect(await check(files)).toEqual([])
    expect(await check({ [`${source}/other.ts`]: `import './index.ts'` })).toEqual([
      `${source}/other.ts imports ./index.ts; a file never imports an index of its own package`,
    ])
  })

  it('do not go in circles', async () => {
    const source = 'packages/errors/src'
    const files = {
      [`${source}/a.ts`]: `import './b.ts'`,
      [`${source}/b.ts`]: `import './c.ts'`,
      [`${source}/c.ts`]: `import type {} from './a.ts'`,
    }
    expect(await check(files)).toEqual([
      `imports go in a circle: ${source}/a.ts → ${source}/b.ts → ${source}/c.ts → ${source}/a.ts`,
    ])
  })
})

it('an index lists what it exports', async () => {
  expect(await check({ 'packages/errors/src/index.ts': `export * from './code.ts'` })).toEqual([
    'packages/errors/src/index.ts has an `export *`; an index lists its exports',
  ])
})

describe('a light package', () => {
  const registry = (dependencies: readonly string[]): Files => ({
    'packages/registry/package.json': manifest('@nsbox/registry', { dependencies }),
    'docs/dependencies.md': documentation + dependencies.map(row).join(''),
  })
  const installed = (name: string, rest: object = {}): Files => ({
    [`packages/registry/node_modules/${name}/package.json`]: JSON.stringify({ name, ...rest }),
  })

  it('brings what its list allows', async () => {
    expect(await check({ ...registry(['undici']), ...installed('undici') })).toEqual([])
  })

  it('brings nothing else, at any depth', async () => {
    const files = {
      ...registry(['undici']),
      ...installed('undici', { dependencies: { surprise: '1' } }),
      ...installed('surprise', { optionalDependencies: { 'not-installed': '1' } }),
    }
    expect(await check(files)).toEqual([
      'registry is to stay light and brings surprise',
      'registry is to stay light and brings not-installed',
    ])
  })

  it('has no native code', async () => {
    const binding = { 'packages/registry/node_modules/undici/binding.gyp': '{}' }
    expect(await check({ ...registry(['undici']), ...installed('undici'), ...binding })).toEqual([
      'registry is to stay free of native code and brings undici',
    ])
  })

  it('does not bring a package of the workspace that is not light', async () => {
    const problems = await check({
      'packages/sys/package.json': manifest('@nsbox/sys'),
      'packages/core/package.json': manifest('@nsbox/core', { dependencies: ['@nsbox/sys'] }),
    })
    expect(problems).toEqual(['core is to stay light and brings @nsbox/sys, which is not'])
  })
})

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

it('docs/dependencies.md has a row for each dependency and for nothing else', async () => {
  const content = manifest('@nsbox/content', { dependencies: ['@nsbox/oci', 'undici'] })
  const files = {
    'packages/content/package.json': content,
    'docs/dependencies.md': documentation + row('left-over'),
  }
  expect(await check(files)).toEqual([
    'docs/dependencies.md has no row for undici',
    'docs/dependencies.md has a row for left-over, which nothing uses',
  ])
})

it('each attack of docs/threat-model.md has a test, and each test of one has its row', async () => {
  const files = {
    'docs/threat-model.md':
      '| A01 | withstood |\n| A03 | claimed |\n\nWithout a surface here:\n\n- A04, A05: none.\n\nMore of A09.\n',
    'packages/oci/src/digest.test.ts': "test('A01, A04 and B01 are withstood'); test('not of A03')",
  }
  expect(await check(files)).toEqual([
    'docs/threat-model.md: no test has a title that begins with A03',
    'docs/threat-model.md: A02 is missing',
    'packages/oci/src/digest.test.ts: a title names A04, which has no row in docs/threat-model.md',
    'packages/oci/src/digest.test.ts: a title names B01, which has no row in docs/threat-model.md',
  ])
})

it('fails and names the breach, run as a program', async () => {
  await using dir = await tempDir()
  await mkdir(join(dir.path, 'packages/extra'), { recursive: true })
  await writeFile(join(dir.path, 'package.json'), manifest('root'))
  await writeFile(join(dir.path, 'packages/extra/package.json'), manifest('@nsbox/extra'))
  const program = join(import.meta.dirname, '../check-deps.ts')
  const { code, stdout } = await run(process.execPath, [
    '--import',
    import.meta.resolve('tsx'),
    program,
    dir.path,
  ])
  expect(code).toBe(1)
  expect(stdout).toMatch(/^extra has no floor$/m)
})
