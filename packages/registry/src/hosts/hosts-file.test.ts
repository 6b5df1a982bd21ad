import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { parseDuration } from './duration.ts'
import { parseHostsFile } from './hosts-file.ts'

const parsed = (text: string) =>
  parseHostsFile(text, 'hosts.toml').map(({ url, capabilities, headers, ...rest }) => ({
    ...(url && { url: url.href }),
    ...(capabilities && { capabilities: [...capabilities] }),
    ...(Object.keys(headers).length > 0 && { headers: { ...headers } }),
    ...rest,
  }))

const plain = { ca: [], client: [], skipVerify: false }

describe('a hosts.toml', () => {
  it('lists hosts in its order, the server last', () => {
    const text = `
      server = "https://registry-1.docker.io"
      [host."https://z.test"]
        capabilities = ["pull", "resolve"]
      [host."a.test:5000"]
        capabilities = ["push"]
        skip_verify = true
        dial_timeout = "1m1.5s"
      [host."http://b.test/mirror/"]
      [host."https://c.test/v2/hub/"]
        override_path = true
      [host."https://d.test/x/v2"]
      [host."https://e.test"]
        override_path = true
    `
    expect(parsed(text)).toEqual([
      { ...plain, url: 'https://z.test/', path: '/v2', capabilities: ['pull', 'resolve'] },
      {
        ...plain,
        url: 'https://a.test:5000/',
        path: '/v2',
        capabilities: ['push'],
        skipVerify: true,
        dialTimeout: 61_500,
      },
      { ...plain, url: 'http://b.test/mirror/', path: '/mirror/v2' },
      { ...plain, url: 'https://c.test/v2/hub/', path: '/v2/hub' },
      { ...plain, url: 'https://d.test/x/v2', path: '/x/v2' },
      { ...plain, url: 'https://e.test/', path: '' },
      { ...plain, url: 'https://registry-1.docker.io/', path: '/v2' },
    ])
  })

  it('gives authorities, client certificates and headers in each of their forms', () => {
    const text = `
      ca = "one.pem"
      client = "both.pem"
      [header]
        x-one = "1"
        x-two = ["a", "b"]
      [host."https://a.test"]
        ca = ["one.pem", "two.pem"]
        client = [["cert.pem", "key.pem"], ["both.pem"], "other.pem", ["cert.pem", ""]]
    `
    expect(parsed(text)).toEqual([
      {
        ...plain,
        url: 'https://a.test/',
        path: '/v2',
        ca: ['one.pem', 'two.pem'],
        client: [
          { cert: 'cert.pem', key: 'key.pem' },
          { cert: 'both.pem' },
          { cert: 'other.pem' },
          { cert: 'cert.pem' },
        ],
      },
      {
        ...plain,
        ca: ['one.pem'],
        client: [{ cert: 'both.pem' }],
        headers: { 'x-one': '1', 'x-two': 'a, b' },
      },
    ])
  })

  it.each([
    ['malformed TOML', 'server = '],
    ['a capability that is none', 'capabilities = ["pull", "steal"]'],
    ['an address that is none', '[host."https://"]'],
    ['an empty address', '[host.""]'],
    ['an address with a password', '[host."https://ann:sesame@a.test"]'],
    ['an address with a query', '[host."https://a.test?x=y"]'],
    ['a host that is no table', 'host = "https://a.test"'],
    ['a server that is no text', 'server = 5'],
    ['a switch that is no switch', 'skip_verify = "true"'],
    ['a time that is none', 'dial_timeout = "5"'],
    ['a certificate of three', 'client = [["a", "b", "c"]]'],
    ['C10 a header with a line break', '[header]\nx = "a\\r\\nHost: b"'],
    ['D18 too many hosts', Array.from({ length: 65 }, (_, n) => `[host."https://h${n}.test"]`).join('\n')],
    ['D18 too many authorities', `ca = [${'"a",'.repeat(65)}]`],
    ['D18 too much nesting', `ca = ${'['.repeat(100_000)}${']'.repeat(100_000)}`],
  ])('with %s is refused', (_, text) => {
    expect(() => parseHostsFile(text, 'hosts.toml')).toThrow(/^hosts\.toml.*: invalid argument$/s)
  })

  it('may have fields that are not known', () => {
    expect(parsed('future = true\n[host."https://a.test"]\n  future = 1')).toHaveLength(2)
  })
})

describe('a duration', () => {
  it.each([
    ['1s', 1000],
    ['250ms', 250],
    ['1h2m3s', 3_723_000],
    ['1.5m', 90_000],
    ['5', undefined],
    ['s', undefined],
    ['-1s', undefined],
    ['1s ', undefined],
    ['9'.repeat(50), undefined],
  ])('%s', (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds)
  })
})

it('E09 shows nothing of what a file has that makes no sense', () => {
  const header = '[header]\nauthorization = "Bearer s3cret"'
  for (const text of [`${header} x`, `${header}\n[host."https://ann:s3cret@a.test"]`, `${header}\n[`]) {
    try {
      parseHostsFile(text, 'hosts.toml')
      expect.unreachable()
    } catch (error) {
      expect(error).toMatchObject({ code: 'invalid_argument' })
      expect(inspect(error, { depth: 5 })).toContain('hosts.toml')
      expect(inspect(error, { depth: 5 })).not.toContain('s3cret')
    }
  }
})
