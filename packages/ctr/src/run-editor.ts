import { spawn } from 'node:child_process'
import { once } from 'node:events'

/**
 * Runs the user's editor on a file, on this terminal. The editor may carry arguments (`code --wait`); it is run by the
 * shell, as programs run `$EDITOR`, with the path as a separate argument.
 *
 * @throws if it exits with anything but 0
 */
export async function runEditor(
  editor: string,
  path: string,
  { signal }: { signal: AbortSignal },
): Promise<void> {
  const child = spawn('/bin/sh', ['-c', `${editor} "$1"`, 'sh', path], { stdio: 'inherit', signal })
  const [code, killedBy] = (await once(child, 'exit')) as [number | null, string | null]
  if (code !== 0) throw new Error(`editor ${editor}: ended with ${killedBy ?? `exit status ${code}`}`)
}
