import { chmodSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Makes a directory, and those above it that are missing, with mode 0711, whatever the umask. A container in a user
 * namespace is an unprivileged user to the host and has to get through to its root filesystem
 * (docs/threat-model.md D01). Existing directories stay as they are.
 *
 * @param path absolute
 */
export function makePassable(path: string): void {
  const first = mkdirSync(path, { recursive: true, mode: 0o711 })
  if (first === undefined) return
  for (let made = path; made.length >= first.length; made = dirname(made)) chmodSync(made, 0o711)
}
