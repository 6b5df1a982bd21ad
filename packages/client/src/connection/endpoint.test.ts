import { errorCode } from '@nsbox/errors'
import { expect, test } from 'vitest'
import { endpointOf } from './endpoint.ts'

test('a socket has no name, and a server over TCP has its own', () => {
  expect(endpointOf('/run/x.sock', {}).authority).toBe('http://localhost')
  expect(endpointOf('tcp://example.com:7443', {}).authority).toBe('https://example.com:7443')
  expect(endpointOf('tcp://[::1]:7443', { token: 'x' }).authority).toBe('https://[::1]:7443')
})

test.each([
  'tcp://',
  'tcp://host',
  'tcp://host:x',
  'tcp://user@host:1',
  'tcp://host:1/path',
  'https://host:1',
])('refuses the address %j', (address) =>
  expect(codeOf(() => endpointOf(address, {}))).toBe('invalid_argument'),
)

test('a secret for a socket is refused and not silently left out', () => {
  expect(codeOf(() => endpointOf('/run/x.sock', { token: 'x' }))).toBe('invalid_argument')
  expect(codeOf(() => endpointOf('/run/x.sock', { tls: { ca: 'x' } }))).toBe('invalid_argument')
})

function codeOf(work: () => unknown): string {
  try {
    work()
    return 'none'
  } catch (error) {
    return errorCode(error)
  }
}
