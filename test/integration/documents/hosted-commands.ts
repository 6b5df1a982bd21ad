import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { type CommandHost, startCommandHost } from '../command-host.ts'
import { checkoutPlace, type PrivateHost } from './private-host.ts'

const port = 7070

/**
 * Functions of a shell in the place of the programs `ctr` and `dist`, for commands that read nothing: most of the time
 * of a short command goes into the start of Node, and documents have hundreds of them.
 */
export const hostedCommands = `
hosted() {
  local code place
  if [ ! -c /dev/stdin ]; then command "$@"; return; fi
  exec 9<>/dev/tcp/127.0.0.1/${port}
  printf '%s\\0' "$#" "$PWD" "\${CONTAINERD_ADDRESS-}" "\${CONTAINERD_NAMESPACE-}" "$@" >&9
  read -r code place <&9
  exec 9>&-
  cat "$place.out"
  cat "$place.err" >&2
  return "$code"
}
ctr() { hosted ctr "$@"; }
dist() { hosted dist "$@"; }
`

/** Runs the commands of `hostedCommands` on a private host. @param env the environment of its root */
export async function serveHostedCommands(
  host: PrivateHost,
  env: Readonly<Record<string, string>>,
): Promise<AsyncDisposable> {
  await using opening = new AsyncDisposableStack()
  const opened = opening.use(new AsyncDisposableStack())
  let started: CommandHost | undefined
  const place = { within: host.within, checkout: checkoutPlace, env }
  const commands = () => (started ??= opened.use(startCommandHost(place)))
  const listener = await host.listen(port)
  let count = 0
  listener.on('connection', (socket) => {
    count += 1
    answer(socket, commands(), join(host.directory, `command-${count}`)).catch(() => socket.destroy())
  })
  opening.defer(async () => {
    listener.close()
    await once(listener, 'close')
  })
  const owned = opening.move()
  return { [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

/** @param place where the outputs are put */
async function answer(socket: Socket, commands: CommandHost, place: string): Promise<void> {
  const [cwd, address, namespace, program, ...args] = await fieldsOf(socket)
  const { code, stdout, stderr } = await commands.run({
    program: program === 'dist' ? 'dist' : 'ctr',
    args,
    cwd: cwd!,
    env: { CONTAINERD_ADDRESS: address || undefined, CONTAINERD_NAMESPACE: namespace || undefined },
  })
  await writeFile(`${place}.out`, stdout)
  await writeFile(`${place}.err`, stderr)
  socket.end(`${code} ${place}\n`)
}

/** The fields of a request, each of which ends with a NUL; before them stands the number of words of the command. */
async function fieldsOf(socket: Socket): Promise<string[]> {
  let text = ''
  socket.setEncoding('utf8')
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    text += chunk
    const [count, ...fields] = text.split('\0')
    if (fields.length === Number(count) + 3 + 1) return fields.slice(0, -1)
  }
  throw new Error(`a request ended early: ${text}`)
}
