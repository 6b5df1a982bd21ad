import { attempt, fuzz, mutatedText } from '@nsbox/testing/fuzz'
import { expect } from 'vitest'
import { digestAlgorithm, digestHex, digestOf, parseDigest } from './digest.ts'
import { formatPlatform, normalizePlatform, parsePlatform } from './platform.ts'
import { matchPlatform, onlyPlatform } from './platform-match.ts'
import { formatReference, normalizeReference, parseReference } from './reference.ts'

const digest = digestOf('x')
const references = [
  `docker.io/library/redis:7@${digest}`,
  'localhost:5000/foo/bar_baz/a-b.c:tag',
  '[2001:db8::1]:443/a',
  '127.0.0.1:65535/a/b',
  'xn--7o8h.example/a__b:_x.Y-z',
  'redis',
  `bitnami/redis@${digestOf('x', 'sha512')}`,
]
const dictionary = [
  ...'/:@.-_[]%\\?#&~ \t\n\0é\u3002\uff0e\u200d',
  '..',
  '//',
  '0x7f',
  '127.1',
  '::1',
  '::ffff:127.0.0.1',
  '010',
  '.0',
  'xn--',
  'localhost',
  'sha256:',
]

fuzz(
  'C10 a reference means in a URL what it says, and says it again',
  mutatedText(references, { dictionary }),
  (text) => {
    const { outcome, value } = attempt(() => parseReference(text))
    if (value === undefined) return outcome
    expect(formatReference(value)).toBe(text)
    expect(parseReference(formatReference(value))).toEqual(value)
    // A URL parser must not read another host or path.
    const url = new URL(
      `https://${value.host}/v2/${value.repository}/manifests/${value.digest ?? value.tag ?? 'latest'}`,
    )
    const port = /:([0-9]+)$/.exec(value.host)?.[1]
    const name = port === undefined ? value.host : value.host.slice(0, -port.length - 1)
    if (!name.startsWith('[')) expect(url.hostname).toBe(name.toLowerCase())
    expect(url.port).toBe(port === undefined || Number(port) === 443 ? '' : String(Number(port)))
    expect(url.pathname).toBe(`/v2/${value.repository}/manifests/${value.digest ?? value.tag ?? 'latest'}`)
    expect([url.username, url.password, url.search, url.hash]).toEqual(['', '', '', ''])
    return outcome
  },
)

fuzz(
  'C10 a name that is completed is a reference, and stays what it is when it is completed again',
  mutatedText(references, { dictionary }),
  (text) => {
    const { outcome, value } = attempt(() => normalizeReference(text))
    if (value === undefined) return outcome
    expect(parseReference(value).object).not.toBe('')
    expect(normalizeReference(value)).toBe(value)
    return outcome
  },
)

fuzz(
  'B04 a digest that is accepted is safe in a path',
  mutatedText([digest, digestOf('x', 'sha512')], { most: 2 }),
  (text) => {
    const { outcome, value } = attempt(() => parseDigest(text))
    if (value === undefined) return outcome
    expect(`${digestAlgorithm(value)}:${digestHex(value)}`).toBe(text)
    expect(digestHex(value)).toMatch(/^(?:[0-9a-f]{64}|[0-9a-f]{128})$/)
    return outcome
  },
)

const platforms = [
  'linux/amd64',
  'linux/arm/v7',
  'windows(10.0.1)/amd64',
  'darwin',
  'aarch64',
  'linux/arm64/v8',
  'macos/x86_64',
]

fuzz(
  'B07 a platform has one spelling, and matches itself first',
  mutatedText(platforms, { dictionary: ['/', '(', ')', 'v8', 'arm', 'linux'] }),
  (text) => {
    const { outcome, value } = attempt(() => parsePlatform(text))
    if (value === undefined) return outcome
    expect(normalizePlatform(value)).toEqual(value)
    expect(parsePlatform(formatPlatform(value))).toEqual(value)
    expect(matchPlatform(value, value)).toBe(true)
    expect(onlyPlatform(value)(value)).toBe(0)
    return outcome
  },
)
