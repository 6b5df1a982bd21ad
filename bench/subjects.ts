import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { stateDirectory } from './fresh-disk.ts'

/** A daemon to measure, and the client that pulls with it. */
export interface Subject {
  readonly name: string
  /** Prepares a directory for the daemon. @returns how to start it */
  daemon(directory: string): Promise<Command & { readonly ready: RegExp; readonly address: string }>
  /** The client's command for pulling an image. */
  pull(address: string, image: string): Command
}

export interface Command {
  readonly command: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/** A program as npm's links lead to it; those of pnpm start a shell first. */
const program = (name: string, file: string) =>
  join(import.meta.dirname, '../packages', name, 'bin', `${file}.mjs`)

/** That of Debian's package `containerd`; our own has the same name. */
export const stockCtr = '/usr/bin/ctr'

/** Where Debian's package `isal` has it. */
const igzip = '/usr/bin/igzip'

/** Debian's containerd, which takes a program named `unpigz` if its PATH has one. */
function containerd(name: string, { fast }: { fast: boolean }): Subject {
  return {
    name,
    async daemon(directory) {
      const address = join(directory, 'containerd.sock')
      const config = join(directory, 'config.toml')
      const text = (value: string) => JSON.stringify(value)
      await writeFile(
        config,
        `version = 2
root = ${text(join(directory, 'root'))}
state = ${text(join(directory, stateDirectory))}
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = ${text(address)}
[debug]
  address = ${text(join(directory, 'debug.sock'))}
`,
      )
      const path = join(directory, 'bin')
      await mkdir(path)
      if (fast) await symlink(igzip, join(path, 'unpigz'))
      const env: Record<string, string> = fast
        ? { PATH: `${path}:${process.env.PATH}` }
        : { CONTAINERD_DISABLE_PIGZ: '1' }
      const command = { command: 'containerd', args: ['--config', config], env }
      return { ...command, ready: /containerd successfully booted/, address }
    },
    pull: stockPull,
  }
}

function stockPull(address: string, image: string): Command {
  const args = ['--address', address, '--namespace', 'bench', 'images', 'pull', '--plain-http', image]
  return { command: stockCtr, args }
}

/** Our server. Without `fast`, the program is hidden from it in a mount namespace of its own. */
function nsbox(
  name: string,
  { fast, durability, client }: { fast: boolean; durability: 'full' | 'relaxed'; client: 'dist' | 'ctr' },
): Subject {
  return {
    name,
    async daemon(directory) {
      const address = join(directory, 'nsbox.sock')
      const server = program('server', 'nsbox-server')
      const places = ['--root', join(directory, 'root'), '--state', join(directory, stateDirectory)]
      const args = [...places, '--address', address, '--durability', durability]
      const ready = /serving/
      if (fast) return { command: server, args, ready, address }
      const script = `if [ -e ${igzip} ]; then mount --bind /dev/null ${igzip}; fi; exec "$@"`
      const hidden = ['--mount', '--propagation', 'private', 'sh', '-c', script, 'sh', server, ...args]
      return { command: 'unshare', args: hidden, ready, address }
    },
    pull:
      client === 'ctr'
        ? stockPull
        : (address, image) => {
            const args = ['--address', address, '--namespace', 'bench', 'pull', '--plain-http', image]
            return { command: program('dist', 'dist'), args }
          },
  }
}

/** Whether a subject's client is the stock one. */
export function hasStockClient({ pull }: Subject): boolean {
  return pull === stockPull
}

/** What can be measured; the first is what the others are compared with. */
export const subjects: Readonly<Record<'plain' | 'igzip', readonly Subject[]>> = {
  plain: subjectsWith(false),
  igzip: subjectsWith(true),
}

function subjectsWith(fast: boolean): Subject[] {
  return [
    containerd('containerd, ctr', { fast }),
    nsbox('nsbox, dist', { fast, durability: 'full', client: 'dist' }),
    nsbox('nsbox, ctr of containerd', { fast, durability: 'full', client: 'ctr' }),
    nsbox('nsbox relaxed, dist', { fast, durability: 'relaxed', client: 'dist' }),
  ]
}
