import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { join } from 'node:path'

/** Packages with native code, which no bundle takes in. They are CommonJS modules. */
export const native = ['better-sqlite3', 'koffi']

/**
 * The text of `NAME.js`, which loads the module in `NAME.main.js` and exports what that exports: by V8's compiled form
 * of it where `code-cache/make.ts` has made one of just this module for just this V8 and its flags, which spares `ctr`
 * a tenth of the time that its help takes; by the module itself otherwise. Nothing in it waits, so that CommonJS can
 * require it where Node lets it require modules at all.
 *
 * @param {string} name
 * @param {{ directory: string, outdir: string, metafile: import('esbuild').Metafile }} built `outdir` and the files of
 *   `metafile` are as seen from `directory`
 */
export function launcher(name, { directory, outdir, metafile }) {
  const main = join(outdir, `${name}.main.js`)
  const files = loadedAtStart(main, metafile)
  const hash = createHash('sha256')
  for (const file of files) hash.update(readFileSync(join(directory, file)))
  // V8 takes compiled code for that of any source of the same length: only the name tells whose it is.
  const stem = `${name}-${hash.digest('hex').slice(0, 16)}`
  const names = metafile.outputs[main]?.exports ?? []
  return `import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { cachedDataVersionTag } from 'node:v8'
import vm from 'node:vm'

const stem = \`\${import.meta.dirname}/${stem}\`
const read = (path, encoding) => {
  try {
    return readFileSync(path, encoding)
  } catch {
    // The program runs without it.
    return undefined
  }
}
const filename = \`\${stem}.cjs\`
const cachedData = read(\`\${stem}-\${cachedDataVersionTag()}.cache\`)
const source = cachedData && read(filename, 'latin1')
const script = source && new vm.Script(source, { filename, cachedData })
const require = createRequire(import.meta.url)
${names.length === 0 ? '' : `export const { ${names.join(', ')} } = `}script && !script.cachedDataRejected
  ? script.runInThisContext()(require, (path) => import(path), import.meta.url)
  : require('./${name}.main.js')
`
}

/**
 * The files of the bundle that a program loads before it does anything.
 *
 * @param {string} main
 * @param {import('esbuild').Metafile} metafile
 */
function loadedAtStart(main, { outputs }) {
  const files = [main]
  for (const file of files) {
    for (const { path, kind, external } of outputs[file]?.imports ?? []) {
      if (kind !== 'import-statement' || isBuiltin(path)) continue
      // It would have to be imported, which the compiled form cannot.
      if (external && !native.includes(path))
        throw new Error(`${main} starts with ${path}, which is outside of it`)
      if (!external && !files.includes(path)) files.push(path)
    }
  }
  return files
}
