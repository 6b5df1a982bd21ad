import type { TestTerminal } from '@nsbox/testing'
import { expect } from 'vitest'

/** Has a shell follow a change of its terminal's size, be interrupted, and end: `ended 5` is shown after that. */
export async function useShell(terminal: TestTerminal): Promise<void> {
  await terminal.resize({ width: 72, height: 21 })
  // The change is on its way.
  await expect
    .poll(() => {
      terminal.type('stty size\r')
      return terminal.output.includes('21 72')
    })
    .toBe(true)
  // An interrupt is a key like any other. A shell of its own says that it is in front: between two commands of the
  // outer one, the interrupt could come before the second is there.
  terminal.type("sh -c 'echo asleep-$((1 + 1)); exec sleep 1000'\r")
  await terminal.waitFor(/asleep-2/)
  terminal.type('\x03')
  await terminal.waitFor(/asleep-2.*# /s)
  terminal.type('exit 5\r')
  await terminal.waitFor(/ended 5/)
  expect(await terminal.isRaw()).toBe(false)
}
