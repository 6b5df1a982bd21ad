import fc from 'fast-check'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { defaultPlatform, formatPlatform, normalizePlatform, parsePlatform } from './platform.ts'

const invalidArgument = expect.objectContaining({ code: 'invalid_argument' })

afterEach(() => {
  vi.unstubAllGlobals()
})

const runOn = (platform: string, arch: string, arm_version?: string) =>
  vi.stubGlobal('process', { platform, arch, config: { variables: { arm_version } } })

describe('one platform has one normal spelling', () => {
  test.each([
    ['Linux/X86_64', 'linux/amd64'],
    ['linux/x86-64', 'linux/amd64'],
    ['linux/amd64/v1', 'linux/amd64'],
    ['linux/amd64/v3', 'linux/amd64/v3'],
    ['linux/aarch64', 'linux/arm64'],
    ['linux/arm64/v8', 'linux/arm64'],
    ['linux/arm64/8', 'linux/arm64'],
    ['linux/arm64/v9', 'linux/arm64/v9'],
    ['linux/arm', 'linux/arm/v7'],
    ['linux/arm/7', 'linux/arm/v7'],
    ['linux/arm/6', 'linux/arm/v6'],
    ['linux/arm/v8', 'linux/arm/v8'],
    ['linux/armhf', 'linux/arm/v7'],
    ['linux/armel', 'linux/arm/v6'],
    ['linux/i386', 'linux/386'],
    ['macos/arm64', 'darwin/arm64'],
    ['windows(10.0.17763)/amd64', 'windows(10.0.17763)/amd64'],
    ['unknown/unknown', 'unknown/unknown'],
    ['linux/__proto__', 'linux/__proto__'],
    ['constructor/toString', 'constructor/tostring'],
  ])('%s is %s', (text, normal) => {
    expect(formatPlatform(parsePlatform(text))).toBe(normal)
  })

  test('keeps what has only one spelling', () => {
    const platform = { os: 'windows', architecture: 'amd64', osVersion: '10.0', osFeatures: ['win32k'] }
    expect(normalizePlatform(platform)).toEqual(platform)
  })
})

describe('half a platform is completed by the default one', () => {
  test.each([
    ['linux', 'x64', undefined, 'linux', 'linux/amd64'],
    ['linux', 'x64', undefined, 'windows', 'windows/amd64'],
    ['linux', 'x64', undefined, 'arm64', 'linux/arm64'],
    ['linux', 'x64', undefined, 'armel', 'linux/arm/v6'],
    ['linux', 'x64', undefined, 'macos', 'darwin/amd64'],
    ['darwin', 'arm64', undefined, 'aarch64', 'linux/arm64'],
    ['linux', 'arm', '6', 'arm', 'linux/arm/v6'],
    ['linux', 'arm', '6', 'linux', 'linux/arm/v6'],
    ['linux', 'arm', '6', 'armhf', 'linux/arm/v7'],
  ])('on %s %s %s, %s is %s', (os, arch, armVersion, text, expected) => {
    runOn(os, arch, armVersion)
    expect(formatPlatform(parsePlatform(text))).toBe(expected)
  })
})

describe('images are taken for Linux, on the processor of this machine', () => {
  test.each([
    ['linux', 'x64', undefined, 'linux/amd64'],
    ['linux', 'arm64', undefined, 'linux/arm64'],
    ['linux', 'arm', '7', 'linux/arm/v7'],
    ['linux', 'arm', '6', 'linux/arm/v6'],
    ['linux', 'arm', undefined, 'linux/arm/v7'],
    ['linux', 'ia32', undefined, 'linux/386'],
    ['linux', 'ppc64', undefined, 'linux/ppc64le'],
    ['linux', 's390x', undefined, 'linux/s390x'],
    ['linux', 'riscv64', undefined, 'linux/riscv64'],
    ['darwin', 'arm64', undefined, 'linux/arm64'],
    ['win32', 'x64', undefined, 'linux/amd64'],
    ['freebsd', 'x64', undefined, 'linux/amd64'],
  ])('%s %s %s: %s', (os, arch, armVersion, expected) => {
    runOn(os, arch, armVersion)
    expect(formatPlatform(defaultPlatform())).toBe(expected)
  })
})

test.each([
  '',
  '*',
  'nosuch',
  'linux/',
  '/amd64',
  'linux//v8',
  'linux/arm/v7/x',
  'linux amd64',
  'linux/amd64\n',
  'linux()/amd64',
  'amd64(1.0)',
  'linux/amd64(1.0)',
  'linux/é',
  `linux/${'a'.repeat(255)}`,
  '__proto__',
])('refuses %j', (text) => {
  expect(() => parsePlatform(text)).toThrow(invalidArgument)
})

const part = fc.stringMatching(/^[\w.-]{1,20}$/)
const platforms = fc.record({ os: part, architecture: part, variant: fc.option(part, { nil: undefined }) })

test('what is formatted reads back as its normal spelling', () => {
  fc.assert(
    fc.property(platforms, fc.option(part, { nil: undefined }), (platform, osVersion) => {
      const normal = normalizePlatform({ ...platform, osVersion })
      expect(parsePlatform(formatPlatform({ ...platform, osVersion }))).toEqual(normal)
      expect(normalizePlatform(normal)).toEqual(normal)
    }),
  )
})
