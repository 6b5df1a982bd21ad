import { describe, expect, it } from 'vitest'
import { check, documentation, type Files, manifest, row } from './testing/faultless-workspace.ts'

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
