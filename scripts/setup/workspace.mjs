import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pnpm } from './pnpm.mjs'

/** Installs the workspace's dependencies exactly as the lock file has them, and builds what is not built yet. */
export async function installAndBuild() {
  await ensure('pnpm install', ['install', '--frozen-lockfile', '--config.confirmModulesPurge=false'], {
    minutes: 15,
    env: nodeHeaders(),
  })
  await ensure('the build', ['exec', 'turbo', 'run', 'build', '--output-logs=errors-only'], {
    minutes: 10,
    env: { TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1' },
  })
}

/**
 * @param {string} what
 * @param {readonly string[]} args
 * @param {Parameters<typeof pnpm>[1]} options
 */
async function ensure(what, args, options) {
  const { code } = await pnpm(args, options)
  if (code !== 0) throw new Error(`${what} ended with exit code ${code}`)
}

/**
 * The environment in which native modules compile without the network.
 *
 * Where native modules are compiled, node-gyp fetches Node's headers from the network unless it is told where
 * they are; many installations of Node bring their own.
 *
 * @returns {Record<string, string>}
 */
function nodeHeaders() {
  for (const prefix of [join(dirname(process.execPath), '..'), '/usr']) {
    try {
      const header = readFileSync(join(prefix, 'include/node/node_version.h'), 'utf8')
      /** @param {string} name */
      const part = (name) => new RegExp(`define NODE_${name}_VERSION (\\d+)`).exec(header)?.[1]
      if (`v${part('MAJOR')}.${part('MINOR')}.${part('PATCH')}` === process.version)
        return { npm_config_nodedir: prefix }
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
    }
  }
  return {}
}
