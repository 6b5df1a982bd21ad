import { readmeExample } from '@nsbox/testing'
import { describe, expect, it } from 'vitest'

describe('the package', () => {
  it('exports nothing but what is listed here', async () => {
    expect(Object.keys(await import('@nsbox/api')).sort()).toEqual([
      'anyRegistry',
      'countFields',
      'decodeMessage',
      'firstHeaderValue',
      'fromConnectError',
      'fromTimestamp',
      'leaseHeader',
      'namespaceHeader',
      'packAny',
      'receiveBytes',
      'sendBytes',
      'toBigInt',
      'toConnectError',
      'toSafeNumber',
      'toTimestamp',
      'typeName',
      'unpackAny',
      'unpackKnownAny',
    ])
  })

  it('reaches generated code by its path', async () => {
    const { Content } = await import('@nsbox/api/gen/services/content/v1/content_pb')
    expect(Content.typeName).toBe('containerd.services.content.v1.Content')
  })

  it('does what its README shows', async () => {
    await readmeExample(new URL('../README.md', import.meta.url))
  })
})
