import { hasProgram } from './command.mjs'
import { nodeHeadersPrefix } from './node-headers.mjs'
import { pnpm } from './pnpm.mjs'

/** Installs the workspace's dependencies exactly as the lock file has them, and builds what is not built yet. */
export async function installAndBuild() {
  const headers = nodeHeadersPrefix()
  await ensure('pnpm install', ['install', '--frozen-lockfile', '--config.confirmModulesPurge=false'], {
    minutes: 15,
    env: headers === undefined ? {} : { npm_config_nodedir: headers },
  })
  await ensure('the build', ['run', '--silent', 'build'], { minutes: 10 })
  if (['go', 'apt-get', 'dpkg-deb'].every(hasProgram))
    await ensure('building programs in Go', ['run', '--silent', 'go-programs'], { minutes: 20 })
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
