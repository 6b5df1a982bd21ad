import { describe, expect, it } from 'vitest'
import { check, documentation, manifest, row } from './testing/faultless-workspace.ts'

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

  it('of optional peers are for sources as well', async () => {
    const peers = {
      dependencies: ['@nsbox/oci'],
      peerDependencies: { undici: '>=7' },
      peerDependenciesMeta: { undici: { optional: true } },
    }
    const files = {
      'packages/content/package.json': manifest('@nsbox/content', peers),
      'docs/dependencies.md': documentation + row('undici'),
    }
    expect(await check({ ...files, [store]: `await import('undici')` })).toEqual([])
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

describe('folders', () => {
  const source = 'packages/errors/src'
  const files = {
    [`${source}/a/one.ts`]: `import '../b/deep/two.ts'`,
    [`${source}/b/deep/two.ts`]: `import '../../c/three.ts'`,
    [`${source}/c/three.ts`]: `import type {} from '../a/four.ts'`,
    [`${source}/a/four.ts`]: '',
  }

  it('beside each other do not depend on each other in a circle, though no file does', async () => {
    const [a, b, c] = ['a', 'b', 'c'].map((name) => `${source}/${name}`)
    expect(await check(files)).toEqual([`folders go in a circle: ${a} → ${b} → ${c} → ${a}`])
    const within = Object.fromEntries(
      Object.entries(files).map(([name, text]) => [name.replace('/src/', '/src/within/'), text]),
    )
    expect(await check(within)).toHaveLength(1)
  })

  it('may be depended on by folders within them, by files beside them, an index and tests', async () => {
    const rest = { ...files, [`${source}/c/three.ts`]: '' }
    expect(await check(rest)).toEqual([])
    expect(
      await check({
        ...rest,
        [`${source}/c/three.ts`]: `import '../beside.ts'`,
        [`${source}/beside.ts`]: `import './a/four.ts'`,
        [`${source}/c/index.ts`]: `export { a } from '../a/four.ts'`,
        [`${source}/c/three.test.ts`]: `import '../a/four.ts'`,
        [`${source}/b/six.ts`]: `import './deep/five.ts'`,
        [`${source}/b/deep/five.ts`]: `import '../seven.ts'`,
        [`${source}/b/seven.ts`]: '',
      }),
    ).toEqual([])
  })
})

it('an index lists what it exports', async () => {
  expect(await check({ 'packages/errors/src/index.ts': `export * from './code.ts'` })).toEqual([
    'packages/errors/src/index.ts has an `export *`; an index lists its exports',
  ])
})
