import { run } from '@nsbox/testing'
import { expect, test } from 'vitest'
import { darwin } from './darwin.ts'
import { freebsd } from './freebsd.ts'
import { linux } from './linux.ts'
import { unsupported } from './unsupported.ts'

test.each(Object.keys(linux))(
  '%s raises unimplemented when it is called on a platform without it',
  async (name) => {
    for (const platform of [unsupported, darwin, freebsd]) {
      if (platform !== unsupported && name === 'flock') continue
      const call = platform[name as keyof typeof linux] as () => unknown
      await expect((async () => call())()).rejects.toMatchObject({ code: 'unimplemented' })
    }
  },
)

test.each(['darwin', 'freebsd', 'win32'])('the package imports on %s', async (platform) => {
  const source = new URL('./index.ts', import.meta.url).href
  const script = `
    Object.defineProperty(process, 'platform', { value: '${platform}' })
    const { fsopen } = await import(${JSON.stringify(source)})
    try { fsopen('tmpfs') } catch (error) { process.stdout.write(error.message) }`
  const args = ['--conditions=@nsbox/source', '--import', 'tsx', '--input-type=module', '-e', script]
  const result = await run(process.execPath, args)
  expect(result.stdout).toBe(`fsopen on ${platform}: not implemented`)
})
