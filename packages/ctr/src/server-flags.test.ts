import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { serverFlags } from './server-flags.ts'

test('are those of nsbox-server', async () => {
  const program = await readFile(join(import.meta.dirname, '../../server/bin/nsbox-server.mjs'), 'utf8')
  const set = [...program.matchAll(/setFlagsFromString\('(.+)'\)/g)].map(([, flag]) => flag)
  expect(serverFlags).toEqual(set)
})
