import { chmod, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { errorCode } from '@nsbox/errors'
import { tempDir } from '@nsbox/testing'
import { expect, test } from 'vitest'
import { Cni } from './cni.ts'
import { parseNetworkList } from './network-list.ts'

const attachment = { containerId: 'space-box', ifName: 'eth0', netns: '/proc/1/ns/net' }

/** Plugins that record how they are called, and then do what `$TYPE.do` says. */
const recorder = `#!/bin/sh
here=$(dirname "$0") type=$(basename "$0") input=$(cat)
echo "$CNI_COMMAND $type $CNI_CONTAINERID $CNI_IFNAME $CNI_NETNS $input" >> "$here/log"
if [ -f "$here/$type.$CNI_COMMAND" ]; then . "$here/$type.$CNI_COMMAND"; fi
[ $CNI_COMMAND != ADD ] || echo '{"cniVersion":"1.0.0","ips":[{"address":"'$type'"}]}'
`

async function host(types: readonly string[]) {
  const directory = await tempDir('nsbox-cni')
  const plugins = join(directory.path, 'plugins')
  const cache = join(directory.path, 'cache')
  await mkdir(plugins)
  for (const type of types) await writeFile(join(plugins, type), recorder, { mode: 0o755 })
  const calls = async () => {
    const lines = (await readFile(join(plugins, 'log'), 'utf8')).trim().split('\n')
    return lines.map((line) => {
      const [command, type, id, ifName, netns, ...input] = line.split(' ')
      return { command, type, id, ifName, netns, input: JSON.parse(input.join(' ')) }
    })
  }
  return {
    plugins,
    calls,
    cached: () => readdir(cache).catch(() => []),
    behave: (type: string, command: string, script: string) =>
      writeFile(join(plugins, `${type}.${command}`), script),
    cni: new Cni({ pluginDirectories: ['/nowhere', plugins], cacheDirectory: cache, timeout: 5_000 }),
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  }
}

const list = (fields: object = {}) =>
  parseNetworkList(
    JSON.stringify({
      cniVersion: '1.0.0',
      name: 'net',
      plugins: [
        { type: 'first', mtu: 1400 },
        { type: 'second', capabilities: { portMappings: true } },
      ],
      ...fields,
    }),
    'test',
  )

test('plugins are called in order, each with the result of the one before', async () => {
  await using on = await host(['first', 'second'])
  const capabilityArgs = { portMappings: [{ hostPort: 1 }], bandwidth: {} }
  const result = await on.cni.add(list(), { ...attachment, capabilityArgs })
  expect(result.ips).toEqual([{ address: 'second' }])
  const [one, two] = await on.calls()
  expect(one).toEqual({
    command: 'ADD',
    type: 'first',
    id: 'space-box',
    ifName: 'eth0',
    netns: '/proc/1/ns/net',
    input: { type: 'first', mtu: 1400, cniVersion: '1.0.0', name: 'net' },
  })
  expect(two?.input).toEqual({
    type: 'second',
    cniVersion: '1.0.0',
    name: 'net',
    runtimeConfig: { portMappings: [{ hostPort: 1 }] },
    prevResult: { cniVersion: '1.0.0', ips: [{ address: 'first' }] },
  })
  expect(await on.cached()).toEqual(['net-space-box-eth0'])
})

test('what was connected is checked and ended as it was configured then, by the plugins in reverse', async () => {
  await using on = await host(['first', 'second'])
  const capabilityArgs = { portMappings: [{ hostPort: 1 }] }
  await on.cni.add(list(), { ...attachment, capabilityArgs })
  await on.cni.check(list(), attachment)
  await on.cni.deleteAll('space-box')
  const calls = (await on.calls()).slice(2)
  expect(calls.map(({ command, type }) => `${command} ${type}`)).toEqual([
    'CHECK first',
    'CHECK second',
    'DEL second',
    'DEL first',
  ])
  for (const { input } of calls) expect(input.prevResult.ips).toEqual([{ address: 'second' }])
  expect(calls[2]).toMatchObject({ netns: '', input: { runtimeConfig: capabilityArgs } })
  expect(await on.cached()).toEqual([])
  await on.cni.deleteAll('space-box')
  await on.cni.delete(list(), attachment)
  expect(await on.cni.check(list(), attachment).catch(errorCode)).toBe('failed_precondition')
})

test('of a container others are not touched whose ids look alike', async () => {
  await using on = await host(['first', 'second'])
  await on.cni.add(list(), attachment)
  // The name of its file would be the same.
  const other = { ...attachment, containerId: 'box' }
  expect(await on.cni.add(list({ name: 'net-space' }), other).catch(errorCode)).toBe('already_exists')
  await on.cni.deleteAll('box')
  await on.cni.delete(list({ name: 'net-space' }), other)
  expect(await on.cached()).toEqual(['net-space-box-eth0'])
})

test('a failure is told in the plugin’s words, and everything is undone', async () => {
  await using on = await host(['first', 'second'])
  await on.behave('second', 'ADD', `echo '{"code":11,"msg":"no room","details":"try later"}'; exit 1`)
  await on.behave('second', 'DEL', 'exit 3')
  await expect(on.cni.add(list(), attachment)).rejects.toThrow(
    'CNI plugin second ADD: no room: try later (code 11)',
  )
  expect((await on.calls()).map(({ command, type }) => `${command} ${type}`)).toEqual([
    'ADD first',
    'ADD second',
    'DEL second',
    'DEL first',
  ])
  expect(await on.cached()).toEqual([])
})

test.each([
  ['exit 2', 'unknown'],
  ['echo nonsense; exit 0', 'invalid_argument'],
  ['exit 0', 'unknown'],
  ['head -c 2000000 /dev/zero; exit 0', 'resource_exhausted'],
])('a plugin that does %j is an error', async (script, code) => {
  await using on = await host(['first', 'second'])
  await on.behave('first', 'ADD', script)
  expect(await on.cni.add(list(), attachment).catch(errorCode)).toBe(code)
})

test('a plugin that hangs is ended with all that it has started', async () => {
  await using on = await host(['first', 'second'])
  await on.behave('first', 'ADD', 'sleep 1000 & echo $! > $here/pid; wait')
  const reason = new Error('the caller gave up')
  const controller = new AbortController()
  const adding = on.cni.add(list(), attachment, { signal: controller.signal }).catch((error) => error)
  const pid = await expect
    .poll(() => readFile(join(on.plugins, 'pid'), 'utf8').catch(() => ''))
    .toMatch(/^\d+\n/)
    .then(() => readFile(join(on.plugins, 'pid'), 'utf8'))
  controller.abort(reason)
  expect(await adding).toBe(reason)
  await expect
    .poll(() => readFile(`/proc/${pid.trim()}/stat`, 'utf8').catch(() => 'gone'))
    .toMatch(/gone|\) Z/)
  const impatient = new Cni({ pluginDirectories: [on.plugins], cacheDirectory: on.plugins, timeout: 50 })
  expect(await impatient.add(list(), attachment).catch(errorCode)).toBe('deadline_exceeded')
})

test('D15 plugins and directories that everyone may write to are not run', async () => {
  await using on = await host(['first', 'second'])
  await chmod(join(on.plugins, 'first'), 0o777)
  expect(await on.cni.add(list(), attachment).catch(errorCode)).toBe('failed_precondition')
  await chmod(join(on.plugins, 'first'), 0o755)
  await chmod(on.plugins, 0o777)
  expect(await on.cni.add(list(), attachment).catch(errorCode)).toBe('failed_precondition')
  await chmod(on.plugins, 0o755)
  expect(await on.cni.add(list({ plugins: [{ type: 'third' }] }), attachment).catch(errorCode)).toBe(
    'not_found',
  )
  await symlink('first', join(on.plugins, 'third'))
  await on.cni.add(list({ plugins: [{ type: 'third' }] }), attachment)
})

test.each([
  [{ ...attachment, containerId: '../x' }],
  [{ ...attachment, containerId: '' }],
  [{ ...attachment, ifName: 'a/b' }],
  [{ ...attachment, ifName: '..' }],
  [{ ...attachment, ifName: 'sixteen-letters-' }],
  [{ ...attachment, netns: 'relative' }],
  [{ ...attachment, netns: undefined }],
])('%j is refused', async (wrong) => {
  expect(await new Cni().add(list(), wrong).catch(errorCode)).toBe('invalid_argument')
})
