import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Digest, digestOf } from './digest.ts'
import { formatReference, normalizeReference, parseReference } from './reference.ts'

const invalidArgument = expect.objectContaining({ code: 'invalid_argument' })
const digest = digestOf('')
const hex64 = 'a'.repeat(64)

describe('a reference is taken apart', () => {
  test('with tag and digest', () => {
    expect(parseReference(`docker.io/library/redis:7@${digest}`)).toEqual({
      host: 'docker.io',
      repository: 'library/redis',
      tag: '7',
      digest,
      locator: 'docker.io/library/redis',
      object: `7@${digest}`,
    })
  })

  test.each([
    ['docker.io/library/redis', 'docker.io', 'library/redis', ''],
    ['docker.io/library/redis:latest', 'docker.io', 'library/redis', 'latest'],
    [`docker.io/library/redis@${digest}`, 'docker.io', 'library/redis', `@${digest}`],
    ['localhost:5000/foo:1', 'localhost:5000', 'foo', '1'],
    ['localhost/foo', 'localhost', 'foo', ''],
    ['registry/foo/bar', 'registry', 'foo/bar', ''],
    ['127.0.0.1:5000/a/b/c:d', '127.0.0.1:5000', 'a/b/c', 'd'],
    ['[::1]:5000/a', '[::1]:5000', 'a', ''],
    ['[2001:db8::1]/a', '[2001:db8::1]', 'a', ''],
    ['Example.COM/a', 'Example.COM', 'a', ''],
    ['xn--7o8h.example/a__b/c-d/e.f/g---h:_x.Y-z', 'xn--7o8h.example', 'a__b/c-d/e.f/g---h', '_x.Y-z'],
  ])('%s', (text, host, repository, object) => {
    expect(parseReference(text)).toMatchObject({ host, repository, object, locator: `${host}/${repository}` })
  })
})

describe('C10 refuses what could say something else in a URL or a header', () => {
  test.each([
    '',
    'redis',
    'redis:latest',
    '/redis',
    'host/',
    'host//redis',
    'host/redis/',
    'host/redis:',
    'host/redis@',
    'host/redis:a:b',
    'host/redis@latest',
    `host/redis@${digest}@${digest}`,
    `host/redis@sha256:${'A'.repeat(64)}`,
    `host/redis@${digest}:tag`,
    'host/re%2f..%2fdis',
    'host/%2e%2e/redis',
    'host/../redis',
    'host/./redis',
    'host/redis..x',
    'host/.redis',
    'host/-redis',
    'host/redis-',
    'host/a___b',
    'host/a._b',
    'host/Redis',
    'host/rédis',
    'host/re dis',
    'host/redis?x=y',
    'host/redis#x',
    'host/redis\\x',
    'host/redis:lat/est',
    'host/redis:-x',
    'host/redis:.x',
    'host/redis:é',
    'host/redis:x\r\nX-Header: y',
    'host/redis:x\n',
    'host/redis\n:x',
    'host\r\nX: y/redis',
    '\nhost/redis',
    'host/redis\0',
    'user@host/redis',
    'user:password@host/redis',
    'https://host/redis',
    'ho_st/redis',
    '-host/redis',
    'host-/redis',
    'host./redis',
    '.host/redis',
    'a..b/redis',
    'host:/redis',
    'host:0/redis',
    'host:65536/redis',
    'host:99999/redis',
    'host:5000000/redis',
    'host:+80/redis',
    'host:80:80/redis',
    '::1/redis',
    '[::1/redis',
    '[::1]x/redis',
    '[]/redis',
    '[::::]/redis',
    '[1:2:3]/redis',
    '256.1.1.1/redis',
    '1.2.3.4.5/redis',
    '08/redis',
    '10/redis',
    '2130706433:5000/redis',
    '0x7f000001/redis',
    '127.1/redis',
    '010.0.0.1/redis',
    'host.1/redis',
    '[fe80::1%25eth0]/redis',
    '%68ost/redis',
    'hóst/redis',
    ' host/redis',
    'host/redis ',
  ])('%j', (text) => {
    expect(() => parseReference(text)).toThrow(invalidArgument)
  })
})

describe('a reference is bounded', () => {
  test.each([
    ['a label of the host', (n: number) => `${'h'.repeat(n)}.example/redis`, 63],
    ['the repository', (n: number) => `host/${'a'.repeat(n)}`, 255],
    ['the tag', (n: number) => `host/redis:${'t'.repeat(n)}`, 128],
  ])('%s', (_, make, limit) => {
    expect(() => parseReference(make(limit))).not.toThrow()
    expect(() => parseReference(make(limit + 1))).toThrow(invalidArgument)
  })

  test('as a whole, without spending time on it', () => {
    expect(() => parseReference(`host/${'a-'.repeat(5_000_000)}`)).toThrow(invalidArgument)
  })
})

describe('what people type is completed', () => {
  test.each([
    ['redis', 'docker.io/library/redis:latest'],
    ['redis:7', 'docker.io/library/redis:7'],
    [`redis@${digest}`, `docker.io/library/redis@${digest}`],
    [`redis:7@${digest}`, `docker.io/library/redis:7@${digest}`],
    ['bitnami/redis', 'docker.io/bitnami/redis:latest'],
    ['docker.io/redis', 'docker.io/library/redis:latest'],
    ['docker.io/library/redis:latest', 'docker.io/library/redis:latest'],
    ['index.docker.io/redis', 'docker.io/library/redis:latest'],
    ['a/b/c', 'docker.io/a/b/c:latest'],
    ['localhost/redis', 'localhost/redis:latest'],
    ['localhost:5000/redis', 'localhost:5000/redis:latest'],
    ['host:5000/redis', 'host:5000/redis:latest'],
    ['localhost:5000', 'docker.io/library/localhost:5000'],
    ['quay.io/a/b:c', 'quay.io/a/b:c'],
    ['[::1]:5000/redis', '[::1]:5000/redis:latest'],
    ['Host/redis', 'Host/redis:latest'],
    [`quay.io/${hex64}`, `quay.io/${hex64}:latest`],
  ])('%s is %s', (text, expected) => {
    expect(normalizeReference(text)).toBe(expected)
  })

  test.each(['', ':7', '/redis', 'Redis', hex64, `docker.io/${hex64}`, 'redis:', 'https://redis'])(
    '%j is refused',
    (text) => {
      expect(() => normalizeReference(text)).toThrow(invalidArgument)
    },
  )
})

const hosts = fc.oneof(
  // A last label of digits makes it an address.
  fc.stringMatching(/^[a-zA-Z][a-zA-Z0-9]{0,9}(-[a-z0-9]{1,5})?(\.[a-z]{2,8}){0,3}(:[1-9][0-9]{0,3})?$/),
  fc.stringMatching(/^[0-9]{1,10}(-[a-z0-9]{1,5})?(\.[a-z]{2,8}){1,3}(:[1-9][0-9]{0,3})?$/),
  fc.ipV4().map((address) => `${address}:5000`),
  fc.ipV6().map((address) => `[${address}]:5000`),
)
const repositories = fc.stringMatching(
  /^[a-z0-9]{1,8}((\.|_|__|-{1,3})[a-z0-9]{1,8}){0,2}(\/[a-z0-9]{1,8}){0,3}$/,
)
const tags = fc.option(fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/), { nil: undefined })
const digests = fc.option(
  fc.string().map((content): Digest => digestOf(content)),
  { nil: undefined },
)

test('a reference reads back as it was written', () => {
  fc.assert(
    fc.property(hosts, repositories, tags, digests, (host, repository, tag, digest) => {
      const text = formatReference({ host, repository, tag, digest })
      const reference = parseReference(text)
      expect(reference).toMatchObject({ host, repository })
      expect([reference.tag, reference.digest]).toEqual([tag, digest])
      expect(formatReference(reference)).toBe(text)
    }),
  )
})

test('C10 whatever is taken is made of harmless characters and names the same thing to a URL parser', () => {
  const alphabet = fc.constantFrom(...'ab0.:/@-_%[]?#\\\r\n A', '..', '%2f', 'sha256:', hex64)
  fc.assert(
    fc.property(fc.array(alphabet, { maxLength: 12 }), (pieces) => {
      const text = `h/${pieces.join('')}`
      for (const candidate of [text, pieces.join('')]) {
        let reference: ReturnType<typeof parseReference>
        try {
          reference = parseReference(candidate)
        } catch (error) {
          expect(error).toEqual(invalidArgument)
          continue
        }
        expect(candidate).toMatch(/^[A-Za-z0-9.:/@_[\]-]+$/)
        expect(new URL(`https://h/v2/${reference.repository}/x`).pathname).toBe(
          `/v2/${reference.repository}/x`,
        )
        expect(formatReference(reference)).toBe(candidate)
      }
    }),
    { numRuns: 3000 },
  )
})

test('completing twice changes nothing more', () => {
  fc.assert(
    fc.property(repositories, tags, digests, (repository, tag, digest) => {
      const tagged = tag === undefined ? '' : `:${tag}`
      const typed = `${repository.replaceAll('.', '-')}${tagged}${digest === undefined ? '' : `@${digest}`}`
      const full = normalizeReference(typed)
      expect(normalizeReference(full)).toBe(full)
    }),
  )
})
