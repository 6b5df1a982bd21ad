import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** How to start the supervisor's program. */
export interface SupervisorProgram {
  /** Node's options and the program's file. */
  readonly args: readonly string[]
  /** Names the build: it is another one whenever the program is. */
  readonly build: string
}

/**
 * Options of V8 for a process that keeps little and lives long. Without the optimizing compiler it takes 48 MB at start
 * instead of 52, and no more processor time: what it does often is short. The others bound how far it grows.
 */
const lean = ['--max-semi-space-size=1', '--max-old-space-size=128', '--v8-pool-size=1', '--no-opt']

/**
 * The program that belongs to this module: of the sources, the sources; of the built package, one file beside this one.
 */
export function supervisorProgram(): SupervisorProgram {
  if (!import.meta.url.endsWith('.ts')) {
    const file = fileURLToPath(new URL('bin/supervisor.js', import.meta.url))
    return { args: [...lean, file], build: hash([file]) }
  }
  const directory = new URL('../', import.meta.url)
  const sources = ['server/', 'protocol/', 'programs/'].flatMap((name) => {
    const inside = new URL(name, directory)
    return readdirSync(inside).map((file) => fileURLToPath(new URL(file, inside)))
  })
  const loader = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href
  const main = fileURLToPath(new URL('server/main.ts', directory))
  return { args: [...lean, '--conditions=@nsbox/source', '--import', loader, main], build: hash(sources) }
}

function hash(files: readonly string[]): string {
  const hash = createHash('sha256')
  for (const file of files) hash.update(readFileSync(file))
  return hash.digest('hex').slice(0, 32)
}
