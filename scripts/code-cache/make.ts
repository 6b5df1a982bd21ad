// Makes V8's compiled form of the built programs and threads, in files beside them, from which they start faster (see
// ../launcher.mjs). It has the functions that a pull runs: one is done here, by the server and by both clients.
// Programs run without it all the same, so what cannot be done on this host, such as unpacking without privileges, is
// left out.
import { readdirSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import { run, startFaultServer, startProcess, tempDir } from '@nsbox/testing'
import { hashOf, unlessFresh } from '../unless-fresh.mjs'
import { compilable, compiledFiles } from './compilable.ts'
import { serveSmallImage } from './small-image.ts'

const root = join(import.meta.dirname, '../..')
const packages = join(root, 'packages')
const programs = [
  'server/dist/nsbox-server.js',
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
  const placeholders = await Promise.all(programs.map((path) => compilable(join(packages, path))))
  try {
    await exercise()
  } finally {
    for (const path of placeholders) rmSync(path, { force: true })
  }
  const launchers = programs.map((path) => join(packages, path))
  const fromServer = (path: string) => relative(what.directory, path)
  return {
    inputs: launchers.map(fromServer),
    outputs: launchers.flatMap(compiledFiles).map(fromServer),
  }
})

/** Pulls an image by each client. */
async function exercise(): Promise<void> {
  await using directory = await tempDir('nsbox-code-cache')
  await using registry = await startFaultServer()
  const reference = serveSmallImage(registry)
  const env = { NODE_OPTIONS: `--import=${pathToFileURL(join(import.meta.dirname, 'keep.mjs')).href}` }
  const address = join(directory.path, 'nsbox.sock')
  const places = ['root', 'state'].flatMap((name) => [`--${name}`, join(directory.path, name)])
  const bin = (path: string) => join(packages, path)
  const command = [bin('server/bin/nsbox-server.mjs'), ...places, '--address', address]
  await using _server = await startProcess(process.execPath, command, { ready: /serving/, env })
  for (const client of [[bin('dist/bin/dist.mjs')], [bin('ctr/bin/ctr.mjs'), 'images']]) {
    const [program = '', ...group] = client
    const namespace = group.length === 0 ? 'a' : 'b'
    const args = ['--address', address, '--namespace', namespace, ...group, 'pull', '--plain-http', reference]
    const { code, stderr } = await run(process.execPath, [program, ...args], { env })
    if (code !== 0) console.error(`compiled code may be missing some functions: ${stderr}`)
  }
}
