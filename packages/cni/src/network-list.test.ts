import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { errorCode } from '@nsbox/errors'
import { tempDir } from '@nsbox/testing'
import { expect, test } from 'vitest'
import { parseNetworkList, readDefaultNetwork } from './network-list.ts'

test('the default network is that of the first file, a list or a single plugin', async () => {
  await using directory = await tempDir()
  const write = (name: string, value: unknown) => writeFile(join(directory.path, name), JSON.stringify(value))
  expect(await readDefaultNetwork(directory.path).catch(errorCode)).toBe('not_found')
  expect(await readDefaultNetwork(join(directory.path, 'absent')).catch(errorCode)).toBe('not_found')
  await write('05-readme.txt', {})
  await write('20.conf', { cniVersion: '0.4.0', name: 'single', type: 'bridge', bridge: 'b' })
  expect(await readDefaultNetwork(directory.path)).toMatchObject({
    name: 'single',
    cniVersion: '0.4.0',
    plugins: [{ type: 'bridge', bridge: 'b' }],
    disableCheck: false,
  })
  await write('10.conflist', { name: 'list', disableCheck: true, plugins: [{ type: 'a' }, { type: 'b' }] })
  expect(await readDefaultNetwork(directory.path)).toMatchObject({ name: 'list', disableCheck: true })
  await chmod(join(directory.path, '10.conflist'), 0o666)
  expect(await readDefaultNetwork(directory.path).catch(errorCode)).toBe('failed_precondition')
})

test.each([
  'no JSON',
  '[]',
  '{"type":"a"}',
  '{"name":"../x","type":"a"}',
  '{"name":"x"}',
  '{"name":"x","plugins":[]}',
  '{"name":"x","plugins":[{}]}',
  '{"name":"x","plugins":[{"type":"../../bin/sh"}]}',
  '{"name":"x","type":"a","cniVersion":"new"}',
])('%j is no configuration', (text) => {
  let thrown: unknown
  try {
    parseNetworkList(text, 'test')
  } catch (error) {
    thrown = error
  }
  expect(errorCode(thrown)).toBe('invalid_argument')
})
