import { randomUUID } from 'node:crypto'
import { readdir, rename } from 'node:fs/promises'

/** Bytes of a path below the root from which on a directory is moved; with a name and a usual root it is no long path. */
const maxLength = 1500

/**
 * Moves directories that lie deep within a tree to its root, until no path in it is too long for a system call.
 * Whoever works in such a directory can make it deeper than any path is long.
 */
export async function shortenPaths(root: string): Promise<void> {
  const top = Buffer.from(`${root}/`)
  const waiting: Buffer[] = [top]
  for (let directory = waiting.pop(); directory !== undefined; directory = waiting.pop()) {
    for (const entry of await readdir(directory, { withFileTypes: true, encoding: 'buffer' })) {
      if (!entry.isDirectory()) continue
      let path = Buffer.concat([directory, entry.name, Buffer.from('/')])
      if (path.length - top.length > maxLength) {
        const moved = Buffer.concat([top, Buffer.from(`${randomUUID()}/`)])
        await rename(path, moved)
        path = moved
      }
      waiting.push(path)
    }
  }
}
