import { join } from 'node:path'
import { runOrThrow, startProcess } from '@nsbox/testing'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { testUser } from '../ordinary-user.ts'
import { type DocumentRegistries, registryNames } from './document-registries.ts'
import { type DocumentShell, openDocumentShell } from './document-shell.ts'
import { hostedCommands, serveHostedCommands } from './hosted-commands.ts'
import { checkoutPlace, openPrivateHost, type PrivateHost } from './private-host.ts'

/** What tests of documents cannot run without. */
export const readerNeeds = {
  root: true,
  linux: true,
  users: [testUser],
  programs: [
    ...['bash', 'busybox', 'docker-registry', 'ip', 'newuidmap', 'nsenter', 'openssl', 'runc', 'setpriv'],
    ...['skopeo', 'unshare'],
  ],
} as const

/** Who follows a document, at a host that has nothing but the programs. */
export interface Reader extends AsyncDisposable {
  readonly host: PrivateHost
  /** The shell of `root`, or, for any other name, of an ordinary user; in an empty directory at first. */
  shell(user: string): Promise<DocumentShell>
}

export interface ReaderOptions {
  /** Directories of the search path, before those of the host; that of the checkout's programs by default. */
  readonly path?: readonly string[]
  /** Variables of every shell. */
  readonly env?: Readonly<Record<string, string>>
  /** Whether `nsbox-server` runs already; it does by default. */
  readonly server?: boolean
  /** Whether commands of root that read nothing share a process; they do by default. */
  readonly hosted?: boolean
}

export async function openReader(
  registries: DocumentRegistries,
  {
    path = [join(checkoutPlace, 'node_modules/.bin')],
    env = {},
    server = true,
    hosted = true,
  }: ReaderOptions = {},
): Promise<Reader> {
  await using opening = new AsyncDisposableStack()
  const { authority } = registries
  const host = opening.use(await openPrivateHost({ names: registryNames, authority }))
  opening.use(await registries.serve(host))
  const directories = [...path, '/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']
  const variables = { PATH: directories.join(':'), LANG: 'C.UTF-8', ...env }
  const ofRoot = { ...variables, HOME: '/root', USER: 'root' }
  if (hosted) opening.use(await serveHostedCommands(host, ofRoot))
  if (server) {
    const settings = Object.entries(ofRoot).map(([name, value]) => `${name}=${value}`)
    const [first, ...others] = [...host.within, 'env', '-i', '-C', '/', ...settings, 'nsbox-server']
    opening.use(await startProcess(first!, others, { ready: /serving/, stopTimeout: 20_000 }))
  }
  const shells = new Map<string, Promise<DocumentShell>>()
  const opened = opening.use(new AsyncDisposableStack())
  const open = async (user: string) => {
    const { name, uid, gid, home } = user === 'root' ? root : await ordinary()
    const [runtime, cwd] = [`/run/user/${uid}`, join(home, 'documents')]
    const make = `mkdir -p ${runtime} ${cwd} && chown ${uid}:${gid} ${home} ${runtime} ${cwd}`
    const [program, ...args] = [...host.within, 'sh', '-c', make]
    await runOrThrow(program!, args)
    const own = { HOME: home, USER: name, ...(uid === 0 ? {} : { XDG_RUNTIME_DIR: runtime }) }
    const directory = join(host.directory, name)
    const first = hosted && uid === 0 ? { first: hostedCommands } : {}
    const options = { ...first, within: host.within, directory, cwd, env: { ...variables, ...own }, uid, gid }
    return opened.use(await openDocumentShell(options))
  }
  const owned = opening.move()
  return {
    host,
    shell(user) {
      const shell = shells.get(user) ?? open(user)
      shells.set(user, shell)
      return shell
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

const root = { name: 'root', uid: 0, gid: 0, home: '/root' }

async function ordinary() {
  const id = async (flag: string) => Number((await runOrThrow('id', [flag, testUser])).stdout)
  return { name: testUser, uid: await id('-u'), gid: await id('-g'), home: `/home/${testUser}` }
}
