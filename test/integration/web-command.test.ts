import { chmod, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { tempDir } from '@nsbox/testing'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startServer, type TestServer } from './programs.ts'

const resources = new AsyncDisposableStack()
let directory: string
let server: TestServer

beforeAll(async () => {
  directory = resources.use(await tempDir('nsbox-web-command')).path
  server = resources.use(await startServer({ args: ['--web', '127.0.0.1:0'] }))
})
afterAll(() => resources.disposeAsync())

it('H02 ctr web prints a link, and gives the browser of a display a file that leads to it', async () => {
  const opened = join(directory, 'opened')
  const opener = join(directory, 'xdg-open')
  const look = 'stat -c %a "$1"; ls -ld "$(dirname "$1")"; cat "$1"'
  await writeFile(opener, `#!/bin/sh\n{ ${look}; } > ${opened}.part && mv ${opened}.part ${opened}\n`)
  await chmod(opener, 0o755)
  const env = { DISPLAY: ':9', PATH: `${directory}:${process.env.PATH}`, XDG_RUNTIME_DIR: directory }
  const { code, stdout, stderr } = await server.ctr(['web'], { env })
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const link = stdout.trim()
  expect(link).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]{43}$/)
  const seen = await readFile(opened, 'utf8')
  expect(seen).toMatch(/^600\ndrwx------ /)
  expect(seen).toContain(`url=${link}"`)
  expect((await readdir(directory)).filter((name) => name.startsWith('nsbox-link-'))).toEqual([])
  const answer = await fetch(link)
  expect([answer.status, answer.headers.get('set-cookie')]).toEqual([
    200,
    expect.stringContaining('HttpOnly'),
  ])
})

it('ctr web --print only prints it, another one each time, and goes without an opener', async () => {
  const env = { DISPLAY: ':9', PATH: `${directory}:${process.env.PATH}` }
  const printed = [
    await server.ctr(['web', '--print'], { env }),
    await server.ctr(['web', '--print'], { env }),
  ]
  expect(new Set(printed.map(({ stdout }) => stdout)).size).toBe(2)
  const without = await server.ctr(['web'], { env: { DISPLAY: ':9', PATH: join(directory, 'none') } })
  expect(without).toMatchObject({ code: 0, stderr: expect.stringContaining('the link was not opened') })
  // Its log has the address, and no link.
  expect(server.process.output).toContain('"webAddress":"http://127.0.0.1:')
  expect(server.process.output).not.toContain('token')
})
