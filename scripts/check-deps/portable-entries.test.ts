import { describe, expect, it } from 'vitest'
import { check, documentation, type Files, manifest, row } from './testing/faultless-workspace.ts'

describe('a portable package', () => {
  const calls = 'packages/sys/src/calls.ts'
  const entries = (entry: string) => ({
    [entry]: { '@nsbox/source': './src/index.ts', default: './dist/index.js' },
  })

  /** A workspace in which the program `dist` has these sources, and may use `sys`, which has native code. */
  async function problems(sources: Files): Promise<string[]> {
    return await check({
      'docs/dependencies.md': documentation + row('koffi'),
      'packages/sys/package.json': manifest('@nsbox/sys', {
        dependencies: ['koffi'],
        exports: entries('./calls'),
      }),
      'packages/sys/src/index.ts': `export { call } from './calls.ts'`,
      [calls]: `import { createRequire } from 'node:module'
        export const call = createRequire(import.meta.url)('koffi')`,
      'packages/dist/package.json': manifest('@nsbox/dist', {
        dependencies: ['@nsbox/sys'],
        exports: entries('.'),
      }),
      'packages/dist/src/index.ts': '',
      ...Object.fromEntries(
        Object.entries(sources).map(([name, text]) => [`packages/dist/src/${name}`, text]),
      ),
    })
  }
  const way = (...files: string[]) => {
    const loaded = [...files.map((file) => `packages/dist/src/${file}`), 'packages/sys/src/index.ts', calls]
    return `dist is portable, and loads koffi by ${loaded.join(' → ')}`
  }

  it.each([
    `import { call } from '@nsbox/sys/calls'`,
    `import '@nsbox/sys/calls'`,
    `import { type Call } from '@nsbox/sys/calls'`,
    `export { call } from '@nsbox/sys/calls'`,
  ])('does not load native code by %s', async (text) => {
    expect(await problems({ 'index.ts': text })).toEqual([way('index.ts')])
  })

  it.each([
    `import type { Call } from '@nsbox/sys/calls'`,
    `export type { Call } from '@nsbox/sys/calls'`,
    `export const call = async () => (await import('@nsbox/sys/calls')).call()`,
    `export type Call = typeof import('@nsbox/sys/calls').call`,
  ])('may say %s', async (text) => {
    expect(await problems({ 'index.ts': text })).toEqual([])
  })

  it('is looked through to its last file, and so are its programs', async () => {
    const files = {
      'index.ts': `import './lazy.ts'`,
      'lazy.ts': `export const lazy = () => import('./apply.ts')`,
      'apply.ts': `import '@nsbox/sys/calls'`,
    }
    expect(await problems(files)).toEqual([])
    expect(await problems({ ...files, 'bin/dist.ts': `import '../apply.ts'` })).toEqual([
      way('bin/dist.ts', 'apply.ts'),
    ])
  })
})
