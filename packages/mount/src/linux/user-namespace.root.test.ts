import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { run, scratchMount } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, test } from 'vitest'
import { mount } from '../mount.ts'

describeWith({ root: true, linux: true, programs: ['unshare'] }, 'in a user namespace', () => {
  test('a mount is made read-only though its other attributes are locked, and an overlay is made', async () => {
    await using scratch = await scratchMount()
    const path = (name: string) => join(scratch.path, name)
    for (const name of ['source', 'new', 'classic', 'overlay']) await mkdir(path(name))
    await mount({ type: 'tmpfs', source: 'x', options: ['nosuid', 'nodev', 'noatime'] }, path('source'))
    const url = (name: string) => JSON.stringify(new URL(name, import.meta.url).href)
    const script = `
      import { mkdirSync } from 'node:fs'
      import { mount, mountOf, overlayMount } from ${url('../index.ts')}
      import { classicMount } from ${url('classic-mount.ts')}
      import { mountRequest } from ${url('mount-request.ts')}
      import { openPlace } from ${url('place.ts')}
      const path = (name) => ${JSON.stringify(scratch.path)} + '/' + name
      const bind = { type: 'bind', source: path('source'), options: ['bind', 'ro'] }
      await mount(bind, path('new'))
      const open = () => openPlace({ target: path('classic'), below: '', noFollow: false })
      const place = open()
      await classicMount(mountRequest(bind), place, open)
      place[Symbol.dispose]()
      await mount({ type: 'tmpfs', source: 'x', options: [] }, path('overlay'))
      for (const name of ['l', 'u', 'w', 'm']) mkdirSync(path('overlay/' + name))
      const layers = { lower: [path('overlay/l')], upper: path('overlay/u'), work: path('overlay/w') }
      await mount(overlayMount(layers, ['userxattr']), path('overlay/m'))
      for (const name of ['new', 'classic', 'overlay/m']) console.log((await mountOf(path(name))).options.join())
      console.log((await mountOf(path('overlay/m'))).superOptions.includes('userxattr'))`
    const node = [process.execPath, '--conditions=@nsbox/source', '--import', import.meta.resolve('tsx')]
    const args = ['--user', '--map-root-user', '--mount', '--', ...node, '--input-type=module', '-e', script]
    const result = await run('unshare', args)
    expect(result.stderr).toBe('')
    const options = 'ro,nosuid,nodev,noatime'
    expect(result.stdout).toBe(`${options}\n${options}\nrw,relatime\ntrue\n`)
  })
})
