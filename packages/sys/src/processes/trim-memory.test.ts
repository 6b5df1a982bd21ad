import { run } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, test } from 'vitest'

/** Leaves memory in pieces of which a few are used, and prints the memory usage in bytes before and after. */
const program = `
  import { trimMemory } from ${JSON.stringify(new URL('./trim-memory.ts', import.meta.url).href)}
  let pieces = Array.from({ length: 50_000 }, () => Buffer.alloc(2000, 1))
  pieces = pieces.filter((_, index) => index % 100 === 0)
  gc()
  await new Promise((resolve) => setTimeout(resolve, 50))
  const before = process.memoryUsage.rss()
  await trimMemory()
  console.log(before - process.memoryUsage.rss(), pieces.length)`

describeWith({ linux: true }, 'memory that was freed', () => {
  test('is given back', async () => {
    const args = ['--expose-gc', '--conditions=@nsbox/source', '--import', import.meta.resolve('tsx')]
    const { stdout, stderr } = await run(process.execPath, [
      ...args,
      '--input-type=module',
      '--eval',
      program,
    ])
    expect(stderr).toBe('')
    expect(Number(stdout.split(' ')[0])).toBeGreaterThan(20_000_000)
  })
})
