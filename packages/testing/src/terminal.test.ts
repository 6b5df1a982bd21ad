import { expect, test } from 'vitest'
import { TestTerminal } from './terminal.ts'

test('a program has a terminal with keys, a size and modes', async () => {
  const program = `test -t 0 && read line && echo "got $line" && stty size && stty raw && sleep 0.01; echo $1; exit 3`
  await using terminal = await TestTerminal.start(['sh', '-c', program, 'sh', "it's"])
  expect(await terminal.isRaw()).toBe(false)
  await terminal.resize({ width: 93, height: 31 })
  terminal.type('keys\n')
  await terminal.waitFor(/got keys\s+31 93/)
  await terminal.waitFor(/it's/)
  expect(await terminal.exited).toEqual({ code: 3, signal: null })
})

test('says what a terminal shows that never shows what is waited for', async () => {
  await using terminal = await TestTerminal.start(['echo', 'something else'])
  await expect(terminal.waitFor(/never/)).rejects.toThrow(/something else/)
})
