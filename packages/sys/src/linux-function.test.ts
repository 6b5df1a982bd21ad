import { run } from '@nsbox/testing'
import { expect, test } from 'vitest'

test('a function of Linux raises unimplemented elsewhere, when it is called', async () => {
  const source = (name: string) => JSON.stringify(new URL(`./${name}/index.ts`, import.meta.url).href)
  const script = `
    Object.defineProperty(process, 'platform', { value: 'darwin' })
    const { openPidfd } = await import(${source('processes')})
    const { waitForReady } = await import(${source('descriptors')})
    try { openPidfd(1) } catch (error) { console.log(error.message) }
    await waitForReady(1).catch((error) => console.log(error.message))`
  const args = ['--conditions=@nsbox/source', '--import', 'tsx', '--input-type=module', '-e', script]
  const { stdout } = await run(process.execPath, args)
  expect(stdout).toBe('syscall on darwin: not implemented\nepoll_wait on darwin: not implemented\n')
})
