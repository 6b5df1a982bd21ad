import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { digestOf } from './digest.ts'
import { mediaTypes } from './media-type.ts'
import { formatPlatform, type Platform, parsePlatform } from './platform.ts'
import { matchPlatform, onlyPlatform, selectManifests } from './platform-match.ts'

const descriptor = (platform?: Platform, content = '') => ({
  mediaType: mediaTypes.ociManifest,
  digest: digestOf(content),
  size: 1,
  platform,
})
const select = (wanted: string, offered: readonly string[]): string[] => {
  const manifests = offered.map((text) => {
    const [os = '', architecture = '', variant] = text.split('/')
    return descriptor({ os, architecture, variant })
  })
  return selectManifests({ manifests }, onlyPlatform(parsePlatform(wanted))).map(({ platform }) =>
    formatPlatform(platform as Platform),
  )
}

describe('an index serves a platform and what its processor also runs, best first', () => {
  const arms = [
    'linux/arm/v5',
    'linux/arm/v6',
    'linux/arm/v7',
    'linux/arm/v8',
    'linux/arm64',
    'linux/arm64/v9',
  ]
  const intels = ['linux/386', 'linux/amd64/v1', 'linux/amd64/v2', 'linux/amd64/v3', 'linux/amd64/v4']

  // The choices of containerd 1.7.24 for such indexes; it lacks only the step from arm64/v9 to arm64.
  test.each<[string, string[], string[]]>([
    ['linux/amd64', intels, ['linux/amd64/v1', 'linux/386']],
    ['linux/amd64/v1', intels, ['linux/amd64/v1', 'linux/386']],
    ['linux/amd64/v3', intels, ['linux/amd64/v3', 'linux/amd64/v2', 'linux/amd64/v1', 'linux/386']],
    ['linux/386', intels, ['linux/386']],
    ['linux/arm', arms, ['linux/arm/v7', 'linux/arm/v6', 'linux/arm/v5']],
    ['linux/arm/v5', arms, ['linux/arm/v5']],
    ['linux/arm/v8', arms, ['linux/arm/v8', 'linux/arm/v7', 'linux/arm/v6', 'linux/arm/v5']],
    ['linux/arm64', arms, ['linux/arm64', 'linux/arm/v8', 'linux/arm/v7', 'linux/arm/v6', 'linux/arm/v5']],
    ['linux/arm64/v9', arms.slice(3), ['linux/arm64/v9', 'linux/arm64', 'linux/arm/v8']],
    ['linux/arm64', ['linux/arm64/v8'], ['linux/arm64/v8']],
    ['linux/arm64', ['linux/arm64/v9'], []],
    ['linux/arm/v6', ['linux/arm'], []],
    ['linux/arm/v7', ['linux/arm'], ['linux/arm']],
    ['linux/amd64', arms, []],
    ['linux/arm64', intels, []],
    ['linux/amd64', ['windows/amd64', 'unknown/unknown'], []],
    ['windows/amd64', ['windows/amd64'], ['windows/amd64']],
    ['linux/riscv64', ['linux/riscv64', 'linux/amd64'], ['linux/riscv64']],
  ])('%s of %j: %j', (wanted, offered, expected) => {
    expect(select(wanted, offered)).toEqual(expected)
  })
})

describe('B07', () => {
  test('equally good manifests stay in the order of the index', () => {
    const platform = { os: 'linux', architecture: 'amd64' }
    const manifests = Array.from({ length: 50 }, (_, i) => descriptor(platform, `${i}`))
    expect(selectManifests({ manifests }, () => 0)).toEqual(manifests)
    expect(selectManifests({ manifests }, onlyPlatform(platform))).toEqual(manifests)
  })

  test('features of the operating system neither help nor hinder', () => {
    const wanted = { os: 'linux', architecture: 'amd64' }
    expect(matchPlatform({ ...wanted, osFeatures: ['sse9', 'quantum'] }, wanted)).toBe(true)
    expect(matchPlatform(wanted, { ...wanted, osFeatures: ['sse9'] })).toBe(true)
  })

  test('a manifest without platform comes last', () => {
    const platform = { os: 'linux', architecture: 'amd64' }
    const manifests = [
      descriptor(undefined, 'unsaid'),
      descriptor({ ...platform, architecture: '386' }),
      descriptor(platform),
    ]
    const selected = selectManifests({ manifests }, onlyPlatform(platform))
    expect(selected.map(({ platform }) => platform?.architecture)).toEqual(['amd64', '386', undefined])
  })

  test('which manifest is best does not depend on the order of unequal ones', () => {
    const offered = ['linux/386', 'linux/amd64', 'linux/amd64/v2', 'linux/amd64/v3', 'linux/arm64']
    fc.assert(
      fc.property(fc.shuffledSubarray(offered, { minLength: offered.length }), (shuffled) => {
        expect(select('linux/amd64/v3', shuffled)).toEqual(select('linux/amd64/v3', offered))
      }),
    )
  })
})

test.each([
  ['10.0.17763', '10.0.17763', true],
  ['10.0.17763.1', '10.0.17763', true],
  ['10.0.17763', '10.0.17763.1', true],
  ['10.0.177631', '10.0.17763', false],
  ['10.0.1', '10.0.2', false],
  [undefined, '10.0.2', true],
  ['10.0.2', undefined, true],
])('version %s of the operating system serves %s: %s', (offered, wanted, expected) => {
  const platform = { os: 'windows', architecture: 'amd64' }
  expect(matchPlatform({ ...platform, osVersion: offered }, { ...platform, osVersion: wanted })).toBe(
    expected,
  )
})
