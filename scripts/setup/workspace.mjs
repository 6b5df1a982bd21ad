import { command, hasProgram } from './command.mjs'
import { nodeHeadersPrefix } from './node-headers.mjs'
import { pnpm } from './pnpm.mjs'

/** Installs the workspace's dependencies exactly as the lock file has them, and builds what is not built yet. */
export async function installAndBuild() {
  const headers = nodeHeadersPrefix()
  const install = ['install', '--frozen-lockfile', '--config.confirmModulesPurge=false']
  const places = headers === undefined ? {} : { env: { npm_config_nodedir: headers } }
  await ensure('pnpm install', pnpm(install, { minutes: 15, ...places }))
  const goes = ['go', 'apt-get', 'dpkg-deb'].every(hasProgram)
  // Neither needs the other: the one waits for the network, and the other has the processor then.
  await Promise.all([
    ensure('the build', command('npm', ['run', '--silent', 'build'], { minutes: 10 })),
    ...(goes
      ? [
          ensure(
            'building programs in Go',
            command('npm', ['run', '--silent', 'go-programs'], { minutes: 20 }),
          ),
        ]
      : []),
  ])
}

/**
 * @param {string} what
 * @param {Promise<{ code: number }>} step
 */
async function ensure(what, step) {
  const { code } = await step
  if (code !== 0) throw new Error(`${what} ended with exit code ${code}`)
}
