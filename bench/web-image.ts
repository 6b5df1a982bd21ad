import { readFile, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { buildImage, busyboxLayer, type ImageLayer, runOrThrow } from '@nsbox/testing'
import { build } from 'esbuild'

/** Where the service listens, in its root filesystem. */
export const webSocket = '/srv/http.sock'

/** What starts the service. */
const webArguments: readonly string[] = ['/bin/node', '/srv/web.cjs']

/** A service of the size that is usual: RPC, logs, settings and messages, all loaded before it listens. */
const source = `
  import { createServer } from 'node:http'
  import { connectNodeAdapter } from '@connectrpc/connect-node'
  import { createRegistry } from '@bufbuild/protobuf'
  import * as api from '@nsbox/api/gen/services/tasks/v1/tasks_pb'
  import { hostname } from 'node:os'
  import pino from 'pino'
  import { parse } from 'smol-toml'
  const log = pino({ level: 'silent' })
  const settings = parse('answer = 42')
  const registry = createRegistry(...Object.values(api).filter((value) => value?.kind === 'message'))
  const rpc = connectNodeAdapter({ routes: () => {} })
  let count = 0
  createServer((request, response) => {
    log.info({ url: request.url })
    if (request.url !== '/') return rpc(request, response)
    response.end(JSON.stringify({ count: ++count, hostname: hostname(), settings, types: [...registry].length }))
  }).listen('${webSocket}')
`

/** Writes an archive of an image with Node and a web service. @returns its path and the image's name */
export async function webImage(directory: string): Promise<{ readonly path: string; readonly name: string }> {
  const bundle = await build({
    stdin: { contents: source, resolveDir: join(import.meta.dirname, '../packages/server') },
    ...({ bundle: true, write: false, platform: 'node', format: 'cjs' } as const),
  })
  const name = 'example.com/web:latest'
  const layout = join(directory, 'layout')
  const layers = [await busyboxLayer(), await nodeLayer(bundle.outputFiles[0]!.contents)]
  await buildImage(layout, { layers, config: { Env: ['PATH=/bin'], Cmd: webArguments } }, name)
  const path = join(directory, 'web.tar')
  await runOrThrow('tar', ['--create', '--file', path, '--directory', layout, '.'])
  return { path, name }
}

/** This Node, the libraries that it needs, and the service. */
async function nodeLayer(service: Uint8Array): Promise<ImageLayer> {
  const { stdout } = await runOrThrow('ldd', [process.execPath])
  const libraries = stdout.match(/\/\S+(?= \()/g) ?? []
  const files = [
    { name: 'bin/node', path: process.execPath },
    ...libraries.map((path) => ({ name: path.slice(1), path })),
  ]
  const directories = new Set(
    libraries.flatMap((path) =>
      path
        .slice(1)
        .split('/')
        .slice(0, -1)
        .map((_, n, parts) => parts.slice(0, n + 1).join('/')),
    ),
  )
  return {
    compression: 'none',
    entries: [
      ...[...directories, 'srv'].map((name) => ({ type: 'directory', name }) as const),
      ...(await Promise.all(
        files.map(async ({ name, path }) => ({
          name,
          mode: 0o755,
          content: await readFile(await realpath(path)),
        })),
      )),
      { name: 'srv/web.cjs', content: service },
    ],
  }
}
