import { describe, expect, it } from 'vitest'
import { type ErrorCode, sentinels } from './code.ts'
import { errorCode, isNsboxError, NsboxError } from './nsbox-error.ts'

const abortReason = (signal: AbortSignal) => {
  try {
    signal.throwIfAborted()
  } catch (error) {
    return error
  }
  throw new Error('not aborted')
}

describe('NsboxError', () => {
  it('ends its message with the sentinel that clients of containerd look for', () => {
    const error = new NsboxError('not_found', 'content sha256:abc')
    expect(error.message).toBe('content sha256:abc: not found')
    expect(error).toMatchObject({ name: 'NsboxError', code: 'not_found', context: 'content sha256:abc' })
  })

  it('is the bare sentinel without a context', () => {
    expect(new NsboxError('aborted', '').message).toBe('aborted')
  })

  it('carries a cause and details', () => {
    const cause = new Error('why')
    const error = new NsboxError('out_of_range', 'offset', { cause, details: { offset: 7 } })
    expect(error.cause).toBe(cause)
    expect(error.details).toEqual({ offset: 7 })
    expect(new NsboxError('internal', 'x')).toMatchObject({ details: {} })
    expect('cause' in new NsboxError('internal', 'x')).toBe(false)
  })

  it('has a sentinel of its own for every canonical code', () => {
    const texts = Object.values(sentinels)
    expect(texts).toHaveLength(16)
    expect(new Set(texts).size).toBe(texts.length)
  })
})

describe('isNsboxError', () => {
  it('recognises an error of another copy of the package', async () => {
    // @ts-expect-error the query gives the module a second time
    const copy: typeof import('./nsbox-error.ts') = await import('./nsbox-error.ts?copy')
    const error = new copy.NsboxError('aborted', 'x')
    expect(error).not.toBeInstanceOf(NsboxError)
    expect(isNsboxError(error)).toBe(true)
  })

  it('refuses what only looks like one', () => {
    const lookalike = Object.assign(new Error('x'), { name: 'NsboxError', code: 'aborted', context: 'x' })
    for (const value of [lookalike, null, undefined, 'aborted', {}]) expect(isNsboxError(value)).toBe(false)
  })
})

describe('errorCode', () => {
  it.each<[string, unknown, ErrorCode]>([
    ['its own for an NsboxError', new NsboxError('data_loss', 'x'), 'data_loss'],
    ['canceled for an abort', abortReason(AbortSignal.abort()), 'canceled'],
    ['unknown for any other error', new Error('x'), 'unknown'],
    ['unknown for what is no error', 'x', 'unknown'],
  ])('is %s', (_, value, code) => {
    expect(errorCode(value)).toBe(code)
  })

  it('is deadline_exceeded for a signal that timed out', async () => {
    const signal = AbortSignal.timeout(1)
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
    expect(errorCode(abortReason(signal))).toBe('deadline_exceeded')
  })
})
