import type { TestTerminal } from '@nsbox/testing'
import { expect } from 'vitest'

/**
 * Changes the size of a terminal until the shell in the container says so: stock clients do not see a change between
 * their first look and their listening for the next one.
 */
export async function takesSize(
  terminal: TestTerminal,
  size: { readonly width: number; readonly height: number },
): Promise<void> {
  await expect
    .poll(
      async () => {
        await terminal.resize({ ...size, width: size.width + 1 })
        await terminal.resize(size)
        terminal.type('stty size\r')
        return terminal.output
      },
      { timeout: 15_000, interval: 200 },
    )
    .toContain(`${size.height} ${size.width}`)
}
