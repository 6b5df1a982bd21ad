import { mkdir, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { type RunResult, runOrThrow } from '@nsbox/testing'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { ordinaryUser, testUser } from '../../test/integration/ordinary-user.ts'

/** Besides Node and npm, what the search path leads to: a shell, which npm starts, and what every Linux has. */
const programs = ['npm', 'npx', 'sh', 'unshare']

/** An ordinary user with an empty home, no compiler in the search path, and an npm that runs no install scripts. */
export interface BareUser extends AsyncDisposable {
  readonly home: string
  /**
   * Runs `npx --yes`.
   * @param node the program of the Node that it runs on
   */
  npx(node: string, ...args: readonly string[]): Promise<RunResult>
}

/** @param registry URL of the registry from which npm installs */
export async function bareUser(registry: string): Promise<BareUser> {
  await using opening = new AsyncDisposableStack()
  const user = opening.use(await ordinaryUser(testUser))
  const found = join(user.home, 'bin')
  await mkdir(found)
  for (const program of programs) {
    const { stdout } = await runOrThrow('sh', ['-c', 'readlink -f "$(command -v "$1")"', 'sh', program])
    await symlink(stdout.trim(), join(found, program))
  }
  const owned = opening.move()
  const settings = [`npm_config_registry=${registry}`, 'npm_config_ignore_scripts=true']
  return {
    home: user.home,
    async npx(node, ...args) {
      await rm(join(found, 'node'), { force: true })
      await symlink(node, join(found, 'node'))
      const environment = [`PATH=${found}`, ...settings]
      return user.run('/usr/bin/env', [...environment, 'npx', '--yes', ...args], { timeout: 300_000 })
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
