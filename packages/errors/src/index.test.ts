import { readmeExample } from '@nsbox/testing'
import { expect, it } from 'vitest'
import * as errors from './index.ts'

it('exports these and no more', () => {
  expect(Object.keys(errors).sort()).toMatchInlineSnapshot(`
    [
      "NsboxError",
      "deserializeError",
      "errorCode",
      "fromSystemError",
      "isAlreadyExists",
      "isCanceled",
      "isErrno",
      "isFailedPrecondition",
      "isInvalidArgument",
      "isNotFound",
      "isNsboxError",
      "isOutOfRange",
      "isResourceExhausted",
      "isUnauthenticated",
      "isUnavailable",
      "isUnimplemented",
      "printable",
      "printableLines",
      "sentinels",
      "serializeError",
    ]
  `)
})

it('does what its README shows', () => readmeExample(new URL('../README.md', import.meta.url)))
