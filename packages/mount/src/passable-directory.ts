import { chmodSync } from 'node:fs'
import { makeDirectories } from '@nsbox/errors/make-directories'

/**
 * Makes a directory, and missing ones above it, with mode 0711 and any umask. A container in a user namespace is an
 * unprivileged user on the host and needs to reach its root filesystem (docs/threat-model.md D01). Existing directories
 * are not changed.
 *
 * @param path absolute
 */
export function makePassable(path: string): void {
  for (const made of makeDirectories(path, 0o711)) chmodSync(made, 0o711)
}
