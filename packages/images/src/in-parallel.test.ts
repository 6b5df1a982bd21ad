import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { inParallel } from './in-parallel.ts'

it('throws the first failure once everything else has been aborted and has ended', async () => {
  const ended: number[] = []
  const failing = inParallel([1, 2, 3], async (n, signal) => {
    try {
      if (n === 2) throw new Error('second')
      await sleep(60_000, undefined, { signal })
    } finally {
      ended.push(n)
    }
  })
  await expect(failing).rejects.toThrow('second')
  expect(ended.sort()).toEqual([1, 2, 3])
})

it('is aborted from outside', async () => {
  const outside = new AbortController()
  const working = inParallel([1], (_n, signal) => sleep(60_000, undefined, { signal }), {
    signal: outside.signal,
  })
  outside.abort(new Error('enough'))
  await expect(working).rejects.toThrow()
})
