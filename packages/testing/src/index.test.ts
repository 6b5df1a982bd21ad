import { join } from 'node:path'
import { expect, it } from 'vitest'
import { run } from './run.ts'

it('needs no test run to be loaded', async () => {
  const index = join(import.meta.dirname, 'index.ts')
  const { code, stderr } = await run(process.execPath, ['--import', import.meta.resolve('tsx'), index])
  expect([code, stderr]).toEqual([0, ''])
})
