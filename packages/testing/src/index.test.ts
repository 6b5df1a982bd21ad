import { expect, it } from 'vitest'
import { run } from './run.ts'

it('needs no test run to be loaded', async () => {
  const index = new URL('index.ts', import.meta.url).href
  const { code, stderr } = await run(process.execPath, ['--import', import.meta.resolve('tsx'), index])
  expect([code, stderr]).toEqual([0, ''])
})
