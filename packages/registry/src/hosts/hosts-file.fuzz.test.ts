import { attempt, fuzz, mutatedText } from '@nsbox/testing/fuzz'
import { expect } from 'vitest'
import { parseDuration } from './duration.ts'
import { parseHostsFile } from './hosts-file.ts'

const files = [
  `server = "https://registry.example"
[host."https://mirror.example:5000/v2/x"]
  capabilities = ["pull", "resolve"]
  override_path = true
  skip_verify = true
  ca = ["/a.pem", "b.pem"]
  client = [["/c.pem", "/k.pem"], "/both.pem"]
  dial_timeout = "1m30s"
  [host."https://mirror.example:5000/v2/x".header]
    x-custom = ["a", "b"]
    authorization = "Basic eDp5"
`,
  '[host."127.0.0.1:5000"]\n',
  'server = "http://[::1]:5000"\nca = "/x"\n',
]
const dictionary = [
  ...'"[].=\n#{},\\',
  '"""',
  "'''",
  '__proto__',
  'header',
  '[[host]]',
  'inf',
  '1979-05-27',
  '@',
  '?',
  '%2f',
  '\\u0000',
  '\\n',
]

fuzz(
  'D18 what a hosts.toml says are hosts to connect to and headers to send, or it is refused',
  mutatedText(files, { dictionary }),
  (text) => {
    const { outcome, value } = attempt(() => parseHostsFile(text, 'hosts.toml'))
    if (value === undefined) return outcome
    expect(value.length).toBeGreaterThan(0)
    for (const { url, path, headers, dialTimeout, ca, client } of value) {
      expect(url === undefined).toBe(path === undefined)
      if (url !== undefined) {
        expect(url.protocol).toMatch(/^https?:$/)
        expect([url.username, url.password, url.search, url.hash]).toEqual(['', '', '', ''])
        // Taken as a path it stays one of the same host.
        expect(new URL(`${url.origin}${path}/x`).host).toBe(url.host)
      }
      for (const [name, field] of Object.entries(headers)) expect(`${name}: ${field}`).not.toMatch(/[\r\n\0]/)
      if (dialTimeout !== undefined) expect(dialTimeout).toBeGreaterThan(0)
      expect(
        [...ca, ...client.flatMap(({ cert, key }) => [cert, key ?? ''])].every(
          (each) => typeof each === 'string',
        ),
      ).toBe(true)
    }
    return outcome
  },
)

fuzz(
  'a duration is a number of milliseconds, or none',
  mutatedText(['1m30s', '100ms', '1.5h', '999999999h'], { dictionary: ['µs', 'ns', '.', '-'] }),
  (text) => {
    const duration = parseDuration(text)
    if (duration === undefined) return 'refused'
    expect(Number.isFinite(duration) && duration >= 0).toBe(true)
    expect(parseDuration(`${text}1s`) ?? duration + 1000).toBeCloseTo(duration + 1000, 3)
    return 'accepted'
  },
)
