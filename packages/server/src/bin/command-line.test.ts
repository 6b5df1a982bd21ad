import { manualTests } from '@nsbox/testing/manual-tests'
import { expect, test, vi } from 'vitest'
import { settingEntries } from '../configuration/check-setting.ts'
import { serverProgram, type Task } from './command-line.ts'

manualTests(() => serverProgram(() => undefined))

/** What the program prints, and what it is asked to do. */
async function asked(...args: string[]): Promise<{ printed: string; tasks: Task[] }> {
  const tasks: Task[] = []
  const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
  try {
    await serverProgram((task) => tasks.push(task)).parseAsync(args, { from: 'user' })
    return { printed: write.mock.calls.map(([text]) => String(text)).join(''), tasks }
  } finally {
    write.mockRestore()
  }
}

const answers = async (...words: string[]) => (await asked('__complete', 'zsh', '--', ...words)).printed

test('completes values of settings that have few', async () => {
  for (const [, setting] of settingEntries) {
    if (!('values' in setting) || setting.values === undefined) continue
    const long = /--[\w-]+/.exec(setting.flag)![0]
    expect(await answers(long, '')).toBe(`words\n${setting.values.join('\n')}\n`)
  }
  expect(await answers('-l', 'tr')).toBe('words\ntrace\n')
})

test('offers its settings before commands alone, since they count nowhere else', async () => {
  expect(await answers('--tcp-addr')).toMatch(/^words\n--tcp-address\twhere to serve/)
  expect(await answers('config', 'dump', '--tcp-addr')).toBe('words\n')
  expect(await answers('install', '--ro')).toMatch(/^words\n--root\tdirectory that stands for/)
  expect(await answers('--config', '')).toBe('files\n')
})

test('begins nothing when it is asked about its command line', async () => {
  for (const args of [['man'], ['completion', 'bash'], ['__complete', 'fish', '--', '']])
    expect(await asked(...args)).toEqual({ printed: expect.stringMatching(/./), tasks: [] })
  expect((await asked('--log-level', 'debug', 'config', 'dump')).tasks).toEqual([
    { kind: 'config', action: 'dump', sources: { flags: { logLevel: 'debug' }, file: undefined } },
  ])
})
