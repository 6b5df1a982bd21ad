import { expect, it } from 'vitest'
import { type PullProgress, totals, withStep } from './pull-progress.ts'

const step = (event: string, name = '', progress = 0, total = 0) => ({
  ...{ event, name, progress: BigInt(progress), total: BigInt(total) },
})
const after = (...steps: ReturnType<typeof step>[]) =>
  steps.reduce<PullProgress>(withStep, { line: '', layers: [] })

it('follows each layer to its end, and the whole', () => {
  const progress = after(
    step('Resolving'),
    step('downloading', 'manifest-sha256:m', 1, 2),
    step('waiting', 'layer-sha256:a'),
    step('downloading', 'layer-sha256:a', 30, 100),
    step('downloading', 'layer-sha256:b', 5, 10),
    step('complete', 'layer-sha256:b', 10, 10),
    step('extracting', 'layer-sha256:b'),
  )
  expect(progress).toEqual({
    line: 'Resolving',
    layers: [
      { name: 'layer-sha256:a', size: 100, received: 30, state: 'downloading' },
      { name: 'layer-sha256:b', size: 10, received: 10, state: 'extracting' },
    ],
  })
  expect(totals(progress)).toEqual({ received: 40, size: 110 })
})

it('follows a bounded number of layers', () => {
  const steps = Array.from({ length: 600 }, (_, index) => step('waiting', `layer-sha256:${index}`))
  expect(after(...steps).layers).toHaveLength(500)
})
