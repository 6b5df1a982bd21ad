import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { build, type PluginBuild } from 'esbuild'
import { placeholder } from './placeholder.mjs'

/**
 * The files that have been made of a program or a library.
 *
 * @param launcher what has been built, `NAME.js`
 */
export function compiledFiles(launcher: string): string[] {
  const directory = dirname(launcher)
  const pattern = new RegExp(`^${basename(launcher, '.js')}-[0-9a-f]{16}(\\.cjs|-.*\\.cache)$`)
  return readdirSync(directory)
    .filter((file) => pattern.test(file))
    .map((file) => join(directory, file))
}

/**
 * Makes the one file of a program or a library that V8 is to compile, and removes what belongs to earlier ones.
 *
 * @param launcher what has been built, `NAME.js`
 * @returns the file that stands for what has been compiled, to be removed once it has
 */
export async function compilable(launcher: string): Promise<string> {
  const directory = dirname(launcher)
  const name = basename(launcher, '.js')
  const stem = /\/(\S+-[0-9a-f]{16})`$/m.exec(readFileSync(launcher, 'utf8'))?.[1]
  if (stem === undefined) throw new Error(`${launcher} is no launcher`)
  for (const path of compiledFiles(launcher)) rmSync(path)
  const { outputFiles } = await build({
    entryPoints: [join(directory, `${name}.main.js`)],
    bundle: true,
    platform: 'node',
    target: 'node20.19',
    format: 'cjs',
    define: { 'import.meta.url': 'importMetaUrl' },
    banner: { js: '(function (require, load, importMetaUrl) { const module = { exports: {} }' },
    footer: { js: 'return module.exports })' },
    plugins: [{ name: 'outside', setup: (build) => leaveOutside(build, directory) }],
    write: false,
    logLevel: 'warning',
    // The bundle imports its chunks for their names alone where they have no side effects; that is as it should be.
    logOverride: { 'ignored-bare-import': 'silent' },
  })
  const text = outputFiles[0]!.text
    // Node does not find out where an import comes from whose code was compiled before.
    .replaceAll(/\bimport\((?=["\w$])/g, 'load(')
    // It is read as Latin-1, of which V8 makes no copy.
    .replaceAll(/[^\0-\x7f]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
  writeFileSync(join(directory, `${stem}.cjs`), text, 'latin1')
  const path = join(directory, `${stem}-${placeholder}.cache`)
  writeFileSync(path, 'x')
  return path
}

/**
 * Other packages, and files that are loaded later, which are named as they are seen from the directory of the program.
 */
function leaveOutside({ onResolve }: PluginBuild, directory: string): void {
  onResolve({ filter: /./ }, ({ path, kind, resolveDir }) => {
    if (kind === 'entry-point' || (kind === 'import-statement' && path.startsWith('.'))) return undefined
    if (!path.startsWith('.')) return { path, external: true }
    return { path: `./${relative(directory, resolve(resolveDir, path))}`, external: true }
  })
}
