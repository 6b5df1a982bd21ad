import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod } from 'node:fs/promises'
import { join } from 'node:path'
import { tempDir } from '@nsbox/testing'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'

/** A socket that connects to another one from a process of its own, for tests. */
export interface PeerRelay extends AsyncDisposable {
  readonly address: string
}

/** Passes connections on, as another user if asked for. */
const program = `
const net = require('node:net')
const [from, to, uid, gid, groups] = process.argv.slice(1)
const server = net.createServer((near) => {
  const far = net.connect(to)
  for (const [one, other] of [[near, far], [far, near]]) {
    one.on('error', () => other.destroy())
    one.on('close', () => other.destroy())
    one.pipe(other)
  }
})
server.listen(from, () => {
  if (uid !== '') {
  process.setgroups(groups === '' ? [] : groups.split(',').map(Number))
  process.setgid(Number(gid))
  process.setuid(Number(uid))
  }
  console.log('ready')
})
`

/** Starts a process that connects to `to` for each client of the relay; as another user only for root. */
export async function startPeerRelay(
  to: string,
  { uid, gid, groups = [] }: { uid?: number; gid?: number; groups?: readonly number[] } = {},
): Promise<PeerRelay> {
  await using starting = new AsyncDisposableStack()
  const { path } = starting.use(await tempDir('nsbox-relay'))
  await chmod(path, 0o755)
  const address = join(path, 's.sock')
  const args = ['-e', program, address, to, String(uid ?? ''), String(gid ?? ''), groups.join(',')]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'], cwd: '/' })
  const exited = once(child, 'exit')
  starting.defer(async () => {
    child.kill('SIGKILL')
    await exited
  })
  await Promise.race([
    once(child.stdout, 'data'),
    exited.then(() => Promise.reject(new Error('the relay has ended'))),
  ])
  const resources = starting.move()
  return { address, [Symbol.asyncDispose]: () => resources.disposeAsync() }
}
