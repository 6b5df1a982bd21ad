import { run } from '@nsbox/testing'
import { expect, test } from 'vitest'
import type { MountPlatform } from './mount-platform.ts'
import { darwin, freebsd } from './platform.ts'

const calls: [keyof MountPlatform, (platform: MountPlatform) => unknown][] = [
  ['mount', (platform) => platform.mount({ type: 'tmpfs', source: '', options: [] }, '/x', {})],
  ['unmount', (platform) => platform.unmount('/x', {})],
  ['mountTable', (platform) => platform.mountTable(undefined)],
  ['mountIdOf', (platform) => platform.mountIdOf('/')],
  ['whereIs', (platform) => platform.whereIs('/')],
]

test.each(calls)('%s raises unimplemented on macOS and FreeBSD', async (_, call) => {
  for (const platform of [darwin, freebsd])
    await expect((async () => call(platform))()).rejects.toMatchObject({ code: 'unimplemented' })
})

test.each(['darwin', 'freebsd', 'win32'])('the package imports on %s', async (platform) => {
  const source = new URL('./index.ts', import.meta.url).href
  const script = `
    Object.defineProperty(process, 'platform', { value: '${platform}' })
    const { listMounts } = await import(${JSON.stringify(source)})
    await listMounts().catch((error) => process.stdout.write(error.code))`
  const args = ['--conditions=@nsbox/source', '--import', 'tsx', '--input-type=module', '-e', script]
  const result = await run(process.execPath, args)
  expect(result.stdout).toBe('unimplemented')
})
