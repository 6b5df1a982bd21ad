import { runOrThrow } from '@nsbox/testing'
import { expect, test } from 'vitest'

/** Makes every call on a platform, with meaningless arguments. @returns the error of each existing call */
async function failures(platform: string): Promise<unknown> {
  const entry = (name: string) => JSON.stringify(new URL(`./${name}/index.ts`, import.meta.url).href)
  // koffi checks the platform when it is loaded, and has only this one's code.
  const script = `
    import { createRequire } from 'node:module'
    createRequire(${entry('.')})('koffi')
    Object.defineProperty(process, 'platform', { value: '${platform}' })
    const calls = { ...(await import(${entry('.')})) }
    const { fileCalls, fileCallsInThread } = await import(${entry('files')})
    const { openPidfd } = await import(${entry('processes')})
    const { waitForReady } = await import(${entry('descriptors')})
    const failures = {}
    for (const group of [calls, fileCalls, fileCallsInThread, { openPidfd, waitForReady }])
      for (const [name, call] of Object.entries(group)) {
        if (typeof call !== 'function') continue
        const args = name === 'tryFlock' ? [-1] : ['', '', '', '', '']
        const failure = await (async () => call(...args))().then(() => 'none', (error) => error)
        if (failure.code !== 'unimplemented') failures[name] = failure.details?.errno ?? String(failure)
        else if (!failure.message.includes(' on ${platform}')) failures[name] = failure.message
      }
    console.log(JSON.stringify(failures))`
  const args = ['--conditions=@nsbox/source', '--import', 'tsx', '--input-type=module', '-e', script]
  return JSON.parse((await runOrThrow(process.execPath, args)).stdout)
}

test.each([
  ['darwin', { tryFlock: 'EBADF' }],
  ['freebsd', { tryFlock: 'EBADF' }],
  ['win32', {}],
  ['sunos', {}],
])(
  'on %s a call that is missing raises unimplemented, and not before it is made',
  async (platform, there) => {
    expect(await failures(platform)).toEqual(there)
  },
)
