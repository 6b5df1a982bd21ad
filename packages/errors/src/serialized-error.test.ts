import { expect, it } from 'vitest'
import { isNsboxError, NsboxError } from './nsbox-error.ts'
import { deserializeError, serializeError } from './serialized-error.ts'

const throughWorker = (error: unknown) => deserializeError(structuredClone(serializeError(error)))

it('keeps code, context and details across structured cloning', () => {
  const error = throughWorker(
    new NsboxError('out_of_range', 'offset', { details: { offset: 7, last: true } }),
  )
  expect(isNsboxError(error)).toBe(true)
  expect(error).toMatchObject({
    code: 'out_of_range',
    message: 'offset: out of range',
    details: { offset: 7, last: true },
  })
})

it('keeps them through JSON', () => {
  const data = JSON.parse(JSON.stringify(serializeError(new NsboxError('aborted', 'x'))))
  expect(deserializeError(data)).toMatchObject({ code: 'aborted', context: 'x', details: {} })
})

it("gives the sender's stack as the cause", () => {
  const sent = new NsboxError('aborted', 'x')
  expect(throughWorker(sent).cause).toBe(sent.stack)
})

it('makes anything else an error of unknown code with its message', () => {
  expect(throughWorker(new TypeError('oh'))).toMatchObject({ code: 'unknown', context: 'oh' })
  expect(throughWorker('oh')).toMatchObject({ code: 'unknown', context: 'oh' })
})
