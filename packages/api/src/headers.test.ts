import { describe, expect, it } from 'vitest'
import { firstHeaderValue, leaseHeader, namespaceHeader } from './headers.ts'

describe('header names', () => {
  it('are those that clients of containerd send', () => {
    expect(namespaceHeader).toBe('containerd-namespace')
    expect(leaseHeader).toBe('containerd-lease')
  })
})

describe('firstHeaderValue', () => {
  it.each([
    ['foo', 'foo'],
    [' foo ', 'foo'],
    ['foo, default', 'foo'],
    ['foo,default', 'foo'],
    [', default', 'default'],
    ['  ,\t, default,', 'default'],
    ['__proto__', '__proto__'],
  ])('D07 takes the first value of %j that is not empty', (header, value) => {
    expect(firstHeaderValue(header)).toBe(value)
  })

  it.each([null, undefined, '', '  ', ',', ' , ,'])('D07 takes nothing from %j', (header) => {
    expect(firstHeaderValue(header)).toBeUndefined()
  })

  it('reads what a Headers object makes of a header that came twice', () => {
    const headers = new Headers()
    headers.append(namespaceHeader, 'foo')
    headers.append(namespaceHeader, 'default')
    expect(firstHeaderValue(headers.get(namespaceHeader))).toBe('foo')
  })
})
