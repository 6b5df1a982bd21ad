import { spawn } from 'node:child_process'
import { createReadStream, existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo, Server } from 'node:net'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { PackedPackage } from '../release/pack-packages.ts'
import { root } from '../setup/command.mjs'

/** A version of a package, and where it is: an archive, or the directory in which pnpm has installed it. */
interface Source {
  readonly manifest: { readonly name: string; readonly version: string }
  readonly place: { readonly archive: string } | { readonly directory: string }
}

/** A registry of npm packages on loopback. */
export interface NpmRegistry extends AsyncDisposable {
  readonly url: string
}

/**
 * Serves packed packages as if they were published, and what the workspace has installed of others. Nothing comes from
 * elsewhere, so that npm installs the same on any day, and without a network.
 *
 * @param compiled whether native code comes as it was compiled for the workspace, and not as it is published, for an
 *     install script to fetch or compile
 * @param listener what listens on loopback already, such as in another network namespace; a new socket by default
 */
export async function startNpmRegistry(
  packed: readonly PackedPackage[],
  { compiled, listener }: { readonly compiled: boolean; readonly listener?: Server },
): Promise<NpmRegistry> {
  const sources = await installedPackages()
  for (const { file } of packed) {
    const manifest = JSON.parse(await readMember(file, 'package/package.json'))
    sources.push({ manifest, place: { archive: file } })
  }
  const server = createServer((request, response) => {
    const [path = '/'] = decodeURIComponent(request.url ?? '/').split('?')
    serve(path.slice(1), response).catch(() => response.destroy())
  })
  const serve = async (path: string, response: ServerResponse) => {
    const [name, version] = path.split('/-/')
    const versions = sources.filter(({ manifest }) => manifest.name === name)
    const one = versions.find(({ manifest }) => manifest.version === version)
    if (one !== undefined) return sendArchive(one, compiled, response)
    if (version !== undefined || versions.length === 0) return void response.writeHead(404).end('{}')
    const described = versions.map(({ manifest }) => {
      const dist = { tarball: `${url}/${manifest.name}/-/${manifest.version}` }
      return [manifest.version, { ...manifest, dist }] as const
    })
    const latest = described.at(-1)?.[0]
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ name, 'dist-tags': { latest }, versions: Object.fromEntries(described) }))
  }
  await new Promise<void>((resolve) => {
    if (listener) server.listen(listener, resolve)
    else server.listen(0, '127.0.0.1', resolve)
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function sendArchive({ place }: Source, compiled: boolean, response: ServerResponse): Promise<void> {
  if ('archive' in place) return pipeline(createReadStream(place.archive), response)
  const parts = ['--exclude=./node_modules', '--exclude=*.o', '--exclude=*.a', '--exclude=./deps']
  // Other packages may publish a directory of that name.
  if (!compiled && existsSync(join(place.directory, 'binding.gyp'))) parts.push('--exclude=./build')
  const args = [
    '-c',
    '--hard-dereference',
    ...parts,
    '--transform',
    's,^\\.,package,',
    '-C',
    place.directory,
    '.',
  ]
  const tar = spawn('tar', args, { stdio: ['ignore', 'pipe', 'inherit'] })
  await pipeline(tar.stdout, response)
}

/** What pnpm has installed for the workspace. */
async function installedPackages(): Promise<Source[]> {
  const store = join(root, 'node_modules/.pnpm')
  const found: Source[] = []
  for (const version of await readdir(store)) {
    const modules = join(store, version, 'node_modules')
    for (const directory of version === 'node_modules' ? [] : await packageDirectories(modules)) {
      const manifest = JSON.parse(await readFile(join(directory, 'package.json'), 'utf8'))
      if (!found.some((other) => sameVersion(other.manifest, manifest)))
        found.push({ manifest, place: { directory } })
    }
  }
  return found
}

const sameVersion = (one: Source['manifest'], other: Source['manifest']) =>
  one.name === other.name && one.version === other.version

/** The directories of packages in a `node_modules`, without what is only linked there. */
export async function packageDirectories(modules: string): Promise<string[]> {
  const found: string[] = []
  for (const entry of await readdir(modules, { withFileTypes: true }).catch(() => [])) {
    if (!entry.isDirectory() || entry.name.startsWith('.')) continue
    const path = join(modules, entry.name)
    if (entry.name.startsWith('@')) found.push(...(await packageDirectories(path)))
    else found.push(path)
  }
  return found
}

/** A member of a gzipped tar archive, as text. */
async function readMember(archive: string, member: string): Promise<string> {
  const tar = spawn('tar', ['-xzOf', archive, member], { stdio: ['ignore', 'pipe', 'inherit'] })
  return (await tar.stdout.setEncoding('utf8').toArray()).join('')
}
