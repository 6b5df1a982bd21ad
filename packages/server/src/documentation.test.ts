import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { parseAccessList } from './access/access-list.ts'
import { settingEntries } from './configuration/check-setting.ts'
import { parseConfiguration } from './configuration/configuration-file.ts'

const readme = new URL('../README.md', import.meta.url)

test('the README lists every setting by all of its names', async () => {
  const text = await readFile(readme, 'utf8')
  for (const [, { flag, variable, key }] of settingEntries) {
    const long = /--[a-z-]+/.exec(flag)?.[0]
    expect(text).toContain(`| \`${long}\` | \`${variable}\` | \`${key}\` |`)
  }
})

test('the files in the README are ones that the server takes', async () => {
  const blocks = [...(await readFile(readme, 'utf8')).matchAll(/```toml\n([\s\S]*?)```/g)].map(
    ([, text]) => text!,
  )
  const [plugins, tenants, accessList] = blocks as [string, string, string]
  expect(parseConfiguration(plugins, 'readme').proxyPlugins).toMatchObject([{ name: 'soci' }])
  expect(parseConfiguration(tenants, 'readme').settings).toMatchObject({
    accessList: '/etc/nsbox/access.toml',
  })
  expect([...parseAccessList(accessList, 'readme').namespaces]).toContain('alice')
})
