import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { parseAccessList } from './access/access-list.ts'
import { settingEntries } from './configuration/check-setting.ts'
import { parseConfiguration } from './configuration/configuration-file.ts'
import { fixedDefaults } from './configuration/configuration-text.ts'
import { reloadedSettings } from './configuration/reload.ts'
import type { Setting, SettingName } from './configuration/setting.ts'

const readme = new URL('../README.md', import.meta.url)
const configuration = new URL('../../../docs/configuration.md', import.meta.url)

test('the README leads to the table of all settings', async () => {
  const [, path, heading] = /\[All settings\]\((.*)#(.*)\)/.exec(await readFile(readme, 'utf8'))!
  expect(new URL(path!, readme).href).toBe(configuration.href)
  expect((await readFile(configuration, 'utf8')).toLowerCase()).toContain(`\n## ${heading}\n`)
})

test('docs/configuration.md has every setting as the server knows it, and no other', async () => {
  const text = await readFile(configuration, 'utf8')
  const rows = text.split('\n').filter((line) => line.startsWith('| `') && line.includes('`NSBOX_'))
  expect(rows).toEqual(settingEntries.map(([name, setting]) => settingRow(name, setting)))
})

/** Where a setting is said to be nothing, or something that depends on the user. */
const otherDefaults: Readonly<Partial<Record<SettingName, string>>> = {
  root: '`/var/lib/nsbox`',
  state: '`/run/nsbox`',
  address: '`nsbox.sock` in `state`',
}

function settingRow(name: SettingName, { key, variable, flag, description, values }: Setting): string {
  const fixed: Readonly<Partial<Record<SettingName, unknown>>> = fixedDefaults
  const usual = name in fixed ? `\`${fixed[name]}\`` : (otherDefaults[name] ?? '')
  const meaning = description.replace(/ \(default: .*\)$/, '')
  const told = values === undefined || values.every((value) => meaning.includes(value))
  const choice = told ? '' : ` (${values.join(', ')})`
  const cells = [`\`${key}\``, `\`${flag}\``, `\`${variable}\``, usual, `${meaning}${choice}`]
  return `| ${[...cells, reloadedSettings.has(name) ? 'yes' : ''].join(' | ')} |`.replaceAll('  ', ' ')
}

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
