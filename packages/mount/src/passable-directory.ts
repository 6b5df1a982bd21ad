import { chmodSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Makes a directory, and those above it that are missing, which anybody may pass through and only its owner may read
 * (0711, whatever the umask). A container in a user namespace whose root filesystem is mounted below is nobody to the host,
 * and must get there by its own rights (docs/threat-model.md D01). What is there already stays as it is.
 *
 * @param path absolute
 */
export function makePassable(path: string): void {
  const first = mkdirSync(path, { recursive: true, mode: 0o711 })
  if (first === undefined) return
  for (let made = path; made.length >= first.length; made = dirname(made)) chmodSync(made, 0o711)
}
