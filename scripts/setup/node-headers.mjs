import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/**
 * The directory that has Node's C++ headers in `include/node`, or undefined: many installations bring them along,
 * and Debian has them as a package. Headers of another release with the same major version serve as well.
 *
 * Where native modules are compiled, node-gyp fetches the headers from the network unless it is told where they are.
 */
export function nodeHeadersPrefix() {
  return [join(dirname(process.execPath), '..'), '/usr'].find((prefix) => {
    try {
      const header = readFileSync(join(prefix, 'include/node/node_version.h'), 'utf8')
      const major = /define NODE_MAJOR_VERSION (\d+)/.exec(header)?.[1]
      return process.version.startsWith(`v${major}.`)
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false
      throw error
    }
  })
}
