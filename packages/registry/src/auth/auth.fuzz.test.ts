import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { BlockList, isIP, isIPv6 } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { attempt, attemptAsync, fuzz, mutatedJson, mutatedText } from '@nsbox/testing/fuzz'
import fc from 'fast-check'
import { afterAll, expect } from 'vitest'
import { isInward, isLoopback } from '../http/loopback.ts'
import { parseChallenges } from './challenge.ts'
import { dockerCredentials } from './docker-credentials.ts'
import { mergeScopes, repositoryScope } from './scope.ts'
import { checkRealm } from './token.ts'

const headers = [
  'Bearer realm="https://auth.example/token",service="registry.example",scope="repository:a/b:pull,push"',
  'Negotiate YWJj==, Basic realm="a \\"b\\"", Bearer realm = "x"',
  'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=MD5, nonce="7ypf/xlj9XXwfDPEoM4URrv"',
]
const header = mutatedText(headers, {
  dictionary: [...'",=\\ \t;', '\\"', 'Bearer ', 'realm=', '__proto__', '\0', 'é'],
})

const quoted = (value: string) => `"${value.replace(/[\\"]/g, '\\$&')}"`
const printed = ({ scheme, parameters }: ReturnType<typeof parseChallenges>[number]) =>
  `${scheme} ${[...parameters].map(([name, value]) => `${name}=${quoted(value)}`).join(', ')}`

fuzz('C01 challenges that are written anew say the same', fc.array(header, { maxLength: 3 }), (values) => {
  const challenges = parseChallenges(values)
  expect(challenges.length).toBeLessThanOrEqual(16)
  for (const { scheme, parameters } of challenges)
    for (const name of [scheme, ...parameters.keys()]) expect(name).toMatch(/^[!-~]+$/)
  const plain = (from: typeof challenges) => from.map(({ scheme, parameters }) => [scheme, [...parameters]])
  expect(plain(parseChallenges([challenges.map(printed).join(', ')]))).toEqual(plain(challenges))
  return challenges.length > 0 ? 'accepted' : 'nothing'
})

const inward = new BlockList()
inward.addSubnet('127.0.0.0', 8)
inward.addSubnet('169.254.0.0', 16)
inward.addSubnet('0.0.0.0', 8)
inward.addAddress('::1', 'ipv6')
inward.addAddress('::', 'ipv6')
inward.addSubnet('fe80::', 10, 'ipv6')

const realms = [
  'https://auth.example/token?x=y',
  'http://127.0.0.1/',
  'https://[::ffff:127.0.0.1]/',
  'https://user:pw@169.254.169.254/',
  'https://0x7f.1/',
  'https://localhost./',
]
const realm = mutatedText(realms, {
  most: 3,
  dictionary: [
    '[::1]',
    '127.0.0.1',
    '0',
    'ⓛocalhost',
    '@',
    '.',
    '169.254.1.1',
    'fe80::1',
    '%6c',
    '::',
    ':',
    '/',
  ],
})

fuzz(
  'C01 a registry elsewhere leads no token request inside, to plain HTTP or with another name',
  realm,
  (text) => {
    const { outcome, value } = attempt(() =>
      checkRealm(text, new URL('https://registry.example'), { hide: (shown) => shown }),
    )
    if (value === undefined) return outcome
    expect(value.protocol).toBe('https:')
    expect([value.username, value.password, value.hash]).toEqual(['', '', ''])
    expect(isInward(value.hostname)).toBe(false)
    expect(isLoopback(new URL(value.href).hostname)).toBe(false)
    // However the address is written: what the URL makes of it is what is connected to.
    const address = value.hostname.replace(/^\[(.*)\]$/, '$1')
    if (isIP(address) !== 0) expect(inward.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')).toBe(false)
    return outcome
  },
)

fuzz(
  'scopes that are merged ask for the same, and are merged already',
  fc.array(
    mutatedText([repositoryScope('a/b', 'pull'), repositoryScope('a/b', 'pull,push'), 'registry:catalog:*'], {
      most: 2,
      dictionary: [':', ',', ' '],
    }),
    { maxLength: 5 },
  ),
  (scopes) => {
    const merged = mergeScopes(scopes)
    expect(mergeScopes(merged)).toEqual(merged)
    expect(mergeScopes([...scopes].reverse())).toEqual(merged)
    expect(merged.length).toBeLessThanOrEqual(scopes.length)
    return 'accepted'
  },
)

const directory = mkdtempSync(join(tmpdir(), 'nsbox-fuzz-'))
afterAll(() => rmSync(directory, { recursive: true }))
const auth = Buffer.from('me:secret').toString('base64')
const config = {
  auths: {
    'https://index.docker.io/v1/': { auth },
    'registry.example': { username: 'me', password: 'secret', identitytoken: 'refresh' },
    'https://other.example/v2/': { registrytoken: 'token' },
  },
  credHelpers: {},
  HttpHeaders: { x: 'y' },
}
const file = fc.oneof(
  mutatedJson([config]).map((value) => JSON.stringify(value)),
  mutatedText([JSON.stringify(config)], { dictionary: ['"auth":', auth, 'Og==', '{', 'null', '__proto__'] }),
)

fuzz(
  'D20 credentials are those of the host that is asked for, and no refusal quotes them',
  fc.tuple(
    file,
    fc.constantFrom('docker.io', 'registry.example', 'other.example', '__proto__', 'nobody.example'),
  ),
  async ([text, host]) => {
    // Programs that a file names are run, and are no matter of its form.
    if (/credHelpers":\{"|credsStore/.test(text)) return 'skipped'
    writeFileSync(join(directory, 'config.json'), text)
    let message = ''
    const { outcome, value } = await attemptAsync(async () => {
      try {
        return (await dockerCredentials({ configDir: directory })({ host, challenges: [] })) ?? 'none'
      } catch (error) {
        message = String((error as Error).message)
        throw error
      }
    })
    expect(message).not.toContain('secret')
    if (value === undefined || value === 'none') return value ?? outcome
    if (host === 'nobody.example') expect(text).toContain('nobody.example')
    if (value.kind === 'basic') expect(value.username).not.toBe('')
    return outcome
  },
)
