import { chmodSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Makes a directory, and missing ones above it, with mode 0711 and any umask. A container in a user namespace is an
 * unprivileged user on the host and needs to reach its root filesystem (docs/threat-model.md D01). Existing directories
 * are not changed.
 *
 * @param path absolute
 */
export function makePassable(path: string): void {
  const first = mkdirSync(path, { recursive: true, mode: 0o711 })
  if (first === undefined) return
  for (let made = path; made.length >= first.length; made = dirname(made)) chmodSync(made, 0o711)
}
