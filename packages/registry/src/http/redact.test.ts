import { expect, it } from 'vitest'
import { redactUrl, remoteText } from './redact.ts'

it('C06 shows no user information and no query value that may be secret', () => {
  const url = new URL(
    'https://ann:sesame@host.test/v2/a?ns=docker.io&X-Amz-Signature=s3cret&token=s3cret#s3cret',
  )
  expect(redactUrl(url)).toBe('https://host.test/v2/a?ns=docker.io&X-Amz-Signature=***&token=***')
})

it('makes one bounded line of a server’s text', () => {
  expect(remoteText('a\r\nb\u0000\u001b[31mc\u2028d')).toBe('a b [31mc d')
  expect(remoteText('x'.repeat(10_000))).toHaveLength(513)
})
