import { closeSync, openSync } from 'node:fs'
import { traceRun } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, test } from 'vitest'
import { syncfs } from './syncfs.ts'

describeWith({ linux: true }, 'syncfs', () => {
  test('fails with the name of the error for what is not open', async () => {
    await expect(syncfs(-1)).rejects.toMatchObject({ details: { errno: 'EBADF' } })
  })

  test('leaves the event loop free', async () => {
    const fd = openSync('/', 'r')
    try {
      let turns = 0
      const timer = setInterval(() => turns++, 0)
      const synced = syncfs(fd)
      await Promise.all([synced, new Promise((resolve) => setTimeout(resolve, 20))])
      clearInterval(timer)
      expect(turns).toBeGreaterThan(0)
    } finally {
      closeSync(fd)
    }
  })
})

describeWith({ linux: true, programs: ['strace'] }, 'syncfs', () => {
  test('asks the kernel once', async () => {
    const source = new URL('./index.ts', import.meta.url).href
    const script = `
      import { openSync } from 'node:fs'
      const { syncfs } = await import(${JSON.stringify(source)})
      await syncfs(openSync('/proc', 'r'))`
    const args = ['--conditions=@nsbox/source', '--import', 'tsx', '--input-type=module', '-e', script]
    const { calls } = await traceRun(['syncfs'], process.execPath, args)
    expect(calls).toMatchObject([{ name: 'syncfs', result: '0' }])
    expect(calls[0]!.args).toContain('/proc')
  })
})
