import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from '@nsbox/testing'
import { root } from '../setup/command.mjs'

/** A directory below `projects` with programs. */
export interface Project {
  readonly name: string
  /** Whether what it has installed names types that only browsers have. */
  readonly usesDom: boolean
}

/** How programs are compiled. */
export interface Compiling {
  /** The package with the compiler. */
  readonly compiler: string
  /** How modules are found. */
  readonly modules: string
}

/**
 * Compiles the programs of projects, strictly, those at once that need the same: what they share is then read once.
 *
 * @param directory with `projects` and `types`
 * @returns what the compiler says; nothing if all is well
 */
export async function compileProjects(
  directory: string,
  projects: readonly Project[],
  how: Compiling,
): Promise<string> {
  const withDom = projects.filter(({ usesDom }) => usesDom)
  const without = projects.filter(({ usesDom }) => !usesDom)
  return `${await compileAtOnce(directory, without, [], how)}${await compileAtOnce(directory, withDom, ['dom'], how)}`
}

async function compileAtOnce(
  directory: string,
  projects: readonly Project[],
  lib: readonly string[],
  { compiler, modules }: Compiling,
): Promise<string> {
  if (projects.length === 0) return ''
  const config = join(directory, 'tsconfig.json')
  const compilerOptions = {
    target: 'es2022',
    lib: ['es2023', 'esnext.disposable', ...lib],
    strict: true,
    skipLibCheck: false,
    types: ['node'],
    typeRoots: [join(directory, 'types')],
    module: modules === 'bundler' ? 'esnext' : modules,
    moduleResolution: modules,
  }
  const include = projects.map(({ name }) => `projects/${name}/*.ts`)
  await writeFile(config, JSON.stringify({ compilerOptions, include }))
  const tsc = join(root, 'node_modules', compiler, 'bin/tsc')
  // More checkers than one, which only the newer compiler has, check again what they share.
  const args = [tsc, '-p', config, ...(compiler === 'typescript' ? ['--checkers', '1'] : [])]
  const { code, stdout, stderr } = await run(process.execPath, args, { cwd: directory, timeout: 300_000 })
  return code === 0 ? '' : stdout + stderr
}
