import { expect, test } from 'vitest'
import { foreignness } from './request-origin.ts'

const hosts = new Set(['127.0.0.1:8080', 'localhost:8080'])
const host = '127.0.0.1:8080'
const origin = 'http://127.0.0.1:8080'

const isForeign = (method: string, headers: Record<string, string>, isUpgrade = false) =>
  foreignness({ method, headers, isUpgrade }, hosts) !== undefined

test.each([
  ['a person who opens it', 'GET', { host, 'sec-fetch-site': 'none' }],
  ['a program without a browser', 'GET', { host }],
  ['the page by its other name', 'GET', { host: 'localhost:8080', 'sec-fetch-site': 'same-origin' }],
  ['a call of the page', 'POST', { host, origin, 'sec-fetch-site': 'same-origin' }],
])('admits %s', (_, method, headers) => expect(isForeign(method, headers)).toBe(false))

test.each([
  ['a name that was made to lead here', 'GET', { host: 'evil.example:8080' }],
  ['its name in capitals', 'GET', { host: 'LOCALHOST:8080' }],
  ['its name with a dot', 'GET', { host: 'localhost.:8080' }],
  ['another loopback address', 'GET', { host: '127.0.0.2:8080' }],
  ['another port', 'GET', { host: '127.0.0.1:80' }],
  ['no port', 'GET', { host: '127.0.0.1' }],
  ['no host', 'GET', {}],
])('H03 refuses a request with %s as host', (_, method, headers) => {
  expect(isForeign(method, headers as Record<string, string>)).toBe(true)
})

test.each([
  ['another origin', 'GET', { host, origin: 'https://evil.example' }],
  ['the origin of another port', 'POST', { host, origin: 'http://127.0.0.1:9090' }],
  ['its origin by its other name', 'POST', { host, origin: 'http://localhost:8080' }],
  ['an origin of another scheme', 'POST', { host, origin: 'https://127.0.0.1:8080' }],
  ['an opaque origin', 'POST', { host, origin: 'null' }],
  ['no origin', 'POST', { host }],
  ['no origin, for something that is no reading', 'DELETE', { host }],
  ['a link on another site', 'GET', { host, 'sec-fetch-site': 'cross-site' }],
  ['a page of another port', 'GET', { host, 'sec-fetch-site': 'same-site' }],
  ['a script that claims to be a person', 'POST', { host, origin, 'sec-fetch-site': 'none' }],
])('H03 refuses a request of %s', (_, method, headers) => {
  expect(isForeign(method, headers as Record<string, string>)).toBe(true)
})

test('H03 refuses a WebSocket without an origin', () => {
  expect(isForeign('GET', { host }, true)).toBe(true)
  expect(isForeign('GET', { host, origin }, true)).toBe(false)
})
