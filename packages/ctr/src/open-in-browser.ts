import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { complain } from './print.ts'

/** The program that opens an address as the user wishes; undefined where there is no display. */
function opener(): string | undefined {
  if (process.platform === 'darwin') return 'open'
  return process.env.DISPLAY || process.env.WAYLAND_DISPLAY ? 'xdg-open' : undefined
}

/** Opens an address in the user's browser, where there is a display. Complains if it cannot, since it was printed. */
export async function openInBrowser(url: string): Promise<void> {
  const program = opener()
  if (program === undefined) return
  // Some wait for the browser's end.
  const child = spawn(program, [url], { stdio: 'ignore', detached: true })
  try {
    await once(child, 'spawn')
  } catch (error) {
    complain(`the link was not opened: ${error instanceof Error ? error.message : String(error)}`)
  }
  child.unref()
}
