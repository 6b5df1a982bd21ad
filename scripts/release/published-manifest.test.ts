import { expect, it } from 'vitest'
import { manifestFaults, type PublishedManifest } from './published-manifest.ts'

const faultless: PublishedManifest = {
  name: '@nsbox/it',
  version: '1.0.0',
  description: 'what it is',
  keywords: ['it'],
  homepage: 'https://host.example/packages/it#readme',
  bugs: 'https://host.example/issues',
  repository: { type: 'git', url: 'git+https://host.example/it.git', directory: 'packages/it' },
  license: 'Apache-2.0',
  engines: { node: '>=20.19.0' },
  exports: { '.': { types: './dist/index.d.ts', default: './dist/index.js' } },
  publishConfig: { access: 'public', provenance: true },
  dependencies: { '@nsbox/other': '1.0.0', valibot: '1.5.0' },
}

const faults = (changes: PublishedManifest) =>
  manifestFaults({ ...faultless, ...changes }, { directory: 'it', published: ['@nsbox/it', '@nsbox/other'] })

it('takes a manifest that has all it needs', () => {
  expect(faults({})).toEqual([])
})

it.each([
  [{ keywords: [] }, 'keywords is missing or wrong'],
  [{ homepage: 'https://host.example/packages/other#readme' }, 'homepage is missing or wrong'],
  [{ repository: { url: 'x', directory: 'packages/other' } }, 'repository is missing or wrong'],
  [{ engines: {} }, 'engines.node is missing or wrong'],
  [{ publishConfig: { access: 'public' } }, 'publishConfig.provenance is missing or wrong'],
  [
    { publishConfig: { ...faultless.publishConfig, registry: 'https://host.example' } },
    'has publishConfig.registry',
  ],
  [{ private: true }, 'has private'],
  [{ scripts: {} }, 'has scripts'],
  [{ devDependencies: {} }, 'has devDependencies'],
  [{ exports: { '.': { '@nsbox/source': './src/index.ts' } } }, 'has the condition @nsbox/source'],
  [{ dependencies: { '@nsbox/other': 'workspace:*' } }, 'depends on @nsbox/other workspace:*'],
  [{ dependencies: { valibot: 'catalog:' } }, 'depends on valibot catalog:'],
  [{ dependencies: { '@nsbox/testing': '1.0.0' } }, 'depends on @nsbox/testing, which is not published'],
] satisfies [PublishedManifest, string][])('names what is wrong in %j', (changes, fault) => {
  expect(faults(changes)).toEqual([fault])
})
