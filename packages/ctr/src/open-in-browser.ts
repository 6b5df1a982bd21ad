import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, rmdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { complain } from './print.ts'

/** Milliseconds that a browser may take to read the link, long after which it is not valid any more. */
const readingTime = 10_000

/** The program that opens a file as the user wishes; undefined where there is no display. */
function opener(): string | undefined {
  if (process.platform === 'darwin') return 'open'
  return process.env.DISPLAY || process.env.WAYLAND_DISPLAY ? 'xdg-open' : undefined
}

/**
 * Opens a secret link in the user's browser, where there is a display. Complains if it cannot, since it was printed.
 * All users of a host see the arguments of its programs and could use the link first, so the browser gets a file that
 * only this user can read, and which leads to it.
 */
export async function openInBrowser(url: string, { signal }: { signal?: AbortSignal } = {}): Promise<void> {
  const program = opener()
  if (program === undefined) return
  try {
    const directory = await mkdtemp(join(process.env.XDG_RUNTIME_DIR || tmpdir(), 'nsbox-link-'))
    const file = join(directory, 'link.html')
    try {
      const link = url.replaceAll('&', '&amp;').replaceAll('"', '&quot;')
      await writeFile(file, `<!doctype html><meta http-equiv="refresh" content="0;url=${link}">`, {
        mode: 0o600,
      })
      // Some wait for the browser's end.
      const child = spawn(program, [file], { stdio: 'ignore', detached: true })
      await once(child, 'spawn')
      child.unref()
      await delay(readingTime, undefined, { signal })
    } finally {
      await rm(file, { force: true })
      await rmdir(directory)
    }
  } catch (error) {
    signal?.throwIfAborted()
    complain(`the link was not opened: ${error instanceof Error ? error.message : String(error)}`)
  }
}
