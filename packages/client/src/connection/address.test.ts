import { errorCode } from '@nsbox/errors'
import { expect, test } from 'vitest'
import { addressFromEnvironment, defaultAddress, socketPath } from './address.ts'

test('takes paths and unix addresses', () => {
  expect(socketPath('/run/x.sock')).toBe('/run/x.sock')
  expect(socketPath('x.sock')).toBe('x.sock')
  expect(socketPath('unix:///run/x.sock')).toBe('/run/x.sock')
  expect(socketPath('unix:/run/x.sock')).toBe('/run/x.sock')
  expect(socketPath('/run/a:b.sock')).toBe('/run/a:b.sock')
})

test.each(['', 'unix://', 'unix:', 'tcp://127.0.0.1:1', 'http://x', '\0abstract', '/run/x\0'])(
  'refuses the address %j',
  (address) => {
    let thrown: unknown
    try {
      socketPath(address)
    } catch (error) {
      thrown = error
    }
    expect(errorCode(thrown)).toBe('invalid_argument')
  },
)

test('follows the environment, then the user', () => {
  expect(addressFromEnvironment({ CONTAINERD_ADDRESS: '/x.sock' })).toBe('/x.sock')
  expect(addressFromEnvironment({ CONTAINERD_ADDRESS: '' })).toBe(defaultAddress())
  const uid = process.getuid?.()
  const expected = uid === 0 ? '/run/nsbox/nsbox.sock' : '/run/user/5/nsbox/nsbox.sock'
  expect(defaultAddress({ XDG_RUNTIME_DIR: '/run/user/5' })).toBe(expected)
})
