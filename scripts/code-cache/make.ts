// Makes V8's compiled form of the built programs and threads, and of the library of the server, in files beside them,
// from which they start faster (see ../launcher.mjs). It has the functions that a pull runs: one is done here by each
// client of the server, and one by a client that has the server in its own process. All run without it, so what cannot
// be done on this host, such as unpacking without privileges, is left out.
import { readdirSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import { run, startFaultServer, startProcess, tempDir } from '@nsbox/testing'
import { hashOf, unlessFresh } from '../unless-fresh.mjs'
import { compilable, compiledFiles } from './compilable.ts'
import { serveSmallImage } from './small-image.ts'

const root = join(import.meta.dirname, '../..')
const packages = join(root, 'packages')
const compiled = [
  'server/dist/nsbox-server.js',
  'server/dist/index.js',
  'server/dist/worker.js',
  'dist/dist/bin/dist.js',
  'ctr/dist/bin/ctr.js',
]

const here = readdirSync(import.meta.dirname).map((name) => join(import.meta.dirname, name))
const what = {
  directory: join(packages, 'server'),
  kind: 'code-cache',
  setting: hashOf(here, process.version),
}
await unlessFresh(what, async () => {
  const placeholders = await Promise.all(compiled.map((path) => compilable(join(packages, path))))
  try {
    await exercise()
  } finally {
    for (const path of placeholders) rmSync(path, { force: true })
  }
  const launchers = compiled.map((path) => join(packages, path))
  const fromServer = (path: string) => relative(what.directory, path)
  return {
    inputs: launchers.map(fromServer),
    outputs: launchers.flatMap(compiledFiles).map(fromServer),
  }
})

/** Pulls an image by each client, and without a daemon. */
async function exercise(): Promise<void> {
  await using directory = await tempDir('nsbox-code-cache')
  await using registry = await startFaultServer()
  const reference = serveSmallImage(registry)
  const keep = `--import=${pathToFileURL(join(import.meta.dirname, 'keep.mjs')).href}`
  // No daemon of this host is found by it.
  const env = {
    NODE_OPTIONS: keep,
    CONTAINERD_ADDRESS: undefined,
    XDG_RUNTIME_DIR: join(directory.path, 'run'),
  }
  const bin = (path: string) => join(packages, path)
  const dist = bin('dist/bin/dist.mjs')
  const pull = async (program: string, ...args: string[]) => {
    const { code, stderr } = await run(process.execPath, [program, ...args, '--plain-http', reference], {
      env,
    })
    if (code !== 0) console.error(`compiled code may be missing some functions: ${stderr}`)
  }
  await pull(dist, '--root', join(directory.path, 'own'), 'pull')
  const address = join(directory.path, 'nsbox.sock')
  const places = ['root', 'state'].flatMap((name) => [`--${name}`, join(directory.path, name)])
  const command = [bin('server/bin/nsbox-server.mjs'), ...places, '--address', address]
  await using _server = await startProcess(process.execPath, command, { ready: /serving/, env })
  await pull(dist, '--address', address, '--namespace', 'a', 'pull')
  await pull(bin('ctr/bin/ctr.mjs'), '--address', address, '--namespace', 'b', 'images', 'pull')
}
