import { chmod, chown, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type RunningProcess,
  type RunOptions,
  type RunResult,
  run,
  runOrThrow,
  startProcess,
  tempDir,
} from '@nsbox/testing'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { type CommandHost, startCommandHost } from './command-host.ts'

/** The user that the set-up makes, with subordinate ids. */
export const testUser = 'nsbox-test'

const repository = join(import.meta.dirname, '../..')

/**
 * Prepares a mount namespace: the checkout, which others may not be able to read, at a place where they can; the device
 * of networks as most hosts have it, for all users.
 */
const prepare = `
mount --bind "$1" "$2" && mount --bind "$3" /dev/net/tun || exit 1
before=$4
shift 4
eval "$before"
exec "$@"
`

/** How a command is run. */
export interface UserCommandOptions extends RunOptions {
  /** Shell commands that root runs before, in a mount namespace that ends with the command. */
  readonly before?: string
  /** What starts the command, such as `unshare`. */
  readonly within?: readonly string[]
}

/** An ordinary user of this host, with a home of their own. */
export interface OrdinaryUser extends AsyncDisposable {
  readonly home: string
  /** The first user id and group id of the user. */
  readonly uid: number
  readonly gid: number
  /** The default socket of the user's servers. */
  readonly address: string
  /** Runs one of our programs, or one of the host by its path. */
  run(program: string, args: readonly string[], options?: UserCommandOptions): Promise<RunResult>
  /** Starts `nsbox-server` with the defaults of the user. */
  startServer(options?: Pick<UserCommandOptions, 'before'>): Promise<RunningProcess>
  /** Starts a process of the user's that runs commands of our programs, one after the other. */
  startCommandHost(): CommandHost
}

/** @param name of the account */
export async function ordinaryUser(name: string): Promise<OrdinaryUser> {
  await using opening = new AsyncDisposableStack()
  const id = async (flag: string) => Number((await runOrThrow('id', [flag, name])).stdout)
  const [uid, gid] = [await id('-u'), await id('-g')]
  const directory = opening.use(await tempDir('nsbox-user')).path
  await chmod(directory, 0o755)
  const [home, runtime, checkout] = [
    join(directory, 'home'),
    join(directory, 'run'),
    join(directory, 'checkout'),
  ]
  for (const path of [home, runtime]) {
    await mkdir(path, { mode: 0o700 })
    await chown(path, uid, gid)
  }
  await mkdir(checkout)
  const tun = join(directory, 'tun')
  await runOrThrow('mknod', ['-m', '666', tun, 'c', '10', '200'])
  const environment = {
    PATH: '/usr/bin:/bin:/usr/sbin:/sbin',
    HOME: home,
    XDG_RUNTIME_DIR: runtime,
  }
  /** What makes a process one of the user's. */
  const becoming = (before: string) => [
    ...['-m', 'sh', '-c', prepare, 'sh', repository, checkout, tun, before],
    ...['setpriv', '--reuid', name, '--regid', String(gid), '--init-groups', '--inh-caps=-all'],
  ]
  const command = (
    program: string,
    args: readonly string[],
    { before = '', within = [] }: UserCommandOptions,
  ) => [
    ...becoming(before),
    ...['env', '-i', '-C', '/', ...Object.entries(environment).map(([key, value]) => `${key}=${value}`)],
    ...within,
    program.startsWith('/') ? program : join(checkout, 'node_modules/.bin', program),
    ...args,
  ]
  const owned = opening.move()
  return {
    ...{ home, uid, gid },
    address: join(runtime, 'nsbox/nsbox.sock'),
    run: (program, args, options = {}) => run('unshare', command(program, args, options), options),
    startServer: (options = {}) =>
      startProcess('unshare', command('nsbox-server', [], options), {
        ready: /serving/,
        readyTimeout: 90_000,
      }),
    startCommandHost: () =>
      startCommandHost({
        within: ['unshare', ...becoming(''), 'env', '-C', '/'],
        ...{ checkout, env: environment, node: 'node' },
      }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
