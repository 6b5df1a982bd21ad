import { readFile } from 'node:fs/promises'
import { readmeExample } from '@nsbox/testing'
import { expect, test } from 'vitest'
import { settingEntries } from './configuration/check-setting.ts'

const readme = new URL('../README.md', import.meta.url)

test('the example in the README does what it says', async () => {
  await readmeExample(readme)
})

test('the README lists every setting by all of its names', async () => {
  const text = await readFile(readme, 'utf8')
  for (const [, { flag, variable, key }] of settingEntries) {
    const long = /--[a-z-]+/.exec(flag)?.[0]
    expect(text).toContain(`| \`${long}\` | \`${variable}\` | \`${key}\` |`)
  }
})
