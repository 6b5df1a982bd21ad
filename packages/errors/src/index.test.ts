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
      "isAborted",
      "isAlreadyExists",
      "isCanceled",
      "isDataLoss",
      "isDeadlineExceeded",
      "isErrno",
      "isFailedPrecondition",
      "isInternal",
      "isInvalidArgument",
      "isNotFound",
      "isNsboxError",
      "isOutOfRange",
      "isPermissionDenied",
      "isResourceExhausted",
      "isUnauthenticated",
      "isUnavailable",
      "isUnimplemented",
      "isUnknown",
      "printable",
      "printableLines",
      "quoted",
      "sentinels",
      "serializeError",
      "shownName",
      "withErrorContext",
    ]
  `)
})

it('does what its README shows', () => readmeExample(new URL('../README.md', import.meta.url)))
