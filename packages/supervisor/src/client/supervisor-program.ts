import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { bundledSources } from '@nsbox/sys/threads'

/** How to start the supervisor's program. */
export interface SupervisorProgram {
  /** Node's options and, unless there is a `script`, the program's file. */
  readonly args: readonly string[]
  /** The program itself, for Node to read from descriptor 3. */
  readonly script?: string
  /** Identifies the build; differs whenever the program differs. */
  readonly build: string
}

/**
 * One thread for garbage and compiling in place of four. An option of V8's would cost 15 of the 90 ms of processor time
 * that a start takes, since V8 takes the compiled form that Node has of its own modules only without any; the program
 * sets them itself.
 */
const lean = ['--v8-pool-size=1']

/** Runs the script from descriptor 3, and closes that first. */
const fromDescriptor = `
  const { closeSync, readFileSync } = require('node:fs')
  const script = readFileSync(3, 'utf8')
  closeSync(3)
  require('node:vm').runInThisContext(script)`

/** The program of this module's build: the sources as one script or, in the built package, a file beside this one. */
export function supervisorProgram(): SupervisorProgram {
  if (!import.meta.url.endsWith('.ts')) {
    const file = fileURLToPath(new URL('bin/supervisor.js', import.meta.url))
    return { args: [...lean, file], build: hash(readFileSync(file)) }
  }
  const script = bundledSources(fileURLToPath(new URL('../server/main.ts', import.meta.url)))
  return { args: [...lean, '--eval', fromDescriptor, '--'], script, build: hash(script) }
}

function hash(program: Buffer | string): string {
  return createHash('sha256').update(program).digest('hex').slice(0, 32)
}
