import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runOrThrow, scratchMount } from '@nsbox/testing'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'

/** Network namespaces that reach each other, and nothing else, over a bridge in a namespace of its own. */
export interface NodeNetwork extends AsyncDisposable {
  /** The program and its arguments that start another program in the namespace of a node, or of the `bridge`. */
  within(name: string): readonly string[]
}

/**
 * Makes a namespace for the bridge, and one for each node with a device `eth0` that is connected to it. They are gone
 * when it is disposed of and no process is in them.
 *
 * @param bridge the IPv4 address of the bridge
 * @param nodes IPv4 addresses of the same network of 24 bits, by name
 */
export async function openNodeNetwork(
  bridge: string,
  nodes: Readonly<Record<string, string>>,
): Promise<NodeNetwork> {
  await using opening = new AsyncDisposableStack()
  const directory = opening.use(await scratchMount()).path
  const file = (name: string) => join(directory, name)
  const make = async (name: string, changes: readonly string[]) => {
    await writeFile(file(name), '')
    await runOrThrow('unshare', [`--net=${file(name)}`, 'ip', '-batch', '-'], { input: changes.join('\n') })
  }
  const up = (device: string, address: string) => [
    'link set lo up',
    `address add ${address}/24 dev ${device}`,
    `link set ${device} up`,
  ]
  await make('bridge', ['link add bridge type bridge', ...up('bridge', bridge)])
  for (const [name, address] of Object.entries(nodes)) {
    const pair = `link add eth0 type veth peer name ${name} netns ${file('bridge')}`
    await make(name, [pair, ...up('eth0', address)])
  }
  const within = (name: string) => ['nsenter', `--net=${file(name)}`]
  const [program, ...args] = [...within('bridge'), 'ip', '-batch', '-']
  const input = Object.keys(nodes)
    .map((name) => `link set ${name} master bridge up`)
    .join('\n')
  await runOrThrow(program!, args, { input })
  const owned = opening.move()
  return { within, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}
