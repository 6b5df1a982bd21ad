import { expect, it } from 'vitest'
import { parseAccessLog } from './registry-access-log.ts'

it('reads requests, also of a named user and with quotes in the agent', () => {
  const text = String.raw`127.0.0.1 - - [24/Nov/2026:17:06:36 +0000] "GET /v2/ HTTP/1.1" 200 2 "" "curl/8.14.1"
127.0.0.1 - bob [24/Nov/2026:17:06:36 +0000] "HEAD /v2/a/manifests/1?ns=x HTTP/2.0" 404 0 "r" "a \"b\" c"
`
  expect(parseAccessLog(text)).toEqual([
    { method: 'GET', path: '/v2/', status: 200, bytes: 2, userAgent: 'curl/8.14.1' },
    {
      method: 'HEAD',
      path: '/v2/a/manifests/1?ns=x',
      status: 404,
      bytes: 0,
      userAgent: String.raw`a \"b\" c`,
    },
  ])
})

it('refuses a line that it cannot read', () => {
  expect(() => parseAccessLog('panic: oh\n')).toThrow(/panic: oh/)
})
