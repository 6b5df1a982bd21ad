import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run, tempDir } from '@nsbox/testing'
import { describe, expect, it } from 'vitest'
import { check, documentation, manifest, row } from './testing/faultless-workspace.ts'

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
      'content is to stay light and brings undici',
    ])
  })

  it('leave native modules to the one package that wraps them', async () => {
    const problems = await check({
      'packages/content/package.json': manifest('@nsbox/content', { dependencies: ['@nsbox/oci', 'koffi'] }),
      'docs/dependencies.md': documentation + row('koffi'),
    })
    expect(problems).toEqual([
      'content depends on koffi, which only sys may use',
      'content is to stay light and brings koffi',
    ])
  })

  it('of the shared test code name no package of the workspace', async () => {
    const testing = manifest('@nsbox/testing', { dependencies: ['@nsbox/errors'] })
    expect(await check({ 'packages/testing/package.json': testing })).toEqual([
      "testing depends on errors; every package's tests use it, so it may depend on none",
    ])
  })
})

it('what the compiler is told to build before a package is what the package depends on', async () => {
  const refersTo = (...paths: string[]) => JSON.stringify({ references: paths.map((path) => ({ path })) })
  const files = {
    'packages/errors/tsconfig.json': refersTo(),
    'packages/oci/tsconfig.json': refersTo('../errors'),
    'packages/content/tsconfig.json': refersTo('../errors'),
  }
  expect(await check(files)).toEqual([
    'packages/content/tsconfig.json lacks a reference to ../oci',
    'packages/content/tsconfig.json refers to ../errors, on which content does not depend',
  ])
})

it('docs/dependencies.md has a row for each dependency and for nothing else', async () => {
  const content = manifest('@nsbox/content', { dependencies: ['@nsbox/oci', 'undici'] })
  const files = {
    'packages/content/package.json': content,
    'docs/dependencies.md': documentation + row('left-over'),
  }
  expect(await check(files)).toEqual([
    'content is to stay light and brings undici',
    'docs/dependencies.md has no row for undici',
    'docs/dependencies.md has a row for left-over, which nothing uses',
  ])
})

it('each attack of docs/threat-model.md has a test, and each test of one has its row', async () => {
  const files = {
    'docs/threat-model.md':
      '| A01 | withstood |\n| A03 | claimed |\n\nNot applicable here:\n\n- A04, A05: none.\n\nMore of A09.\n',
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
