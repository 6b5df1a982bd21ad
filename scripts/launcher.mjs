import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { join } from 'node:path'

/**
 * The text of `NAME.js`, which runs the program in `NAME.main.js`: by V8's compiled form of it where
 * `code-cache/make.ts` has made one of just this program for just this V8 and its flags, which spares `ctr` a tenth of
 * the time that its help takes; by the program itself otherwise.
 *
 * @param {string} name
 * @param {{ outdir: string, metafile: import('esbuild').Metafile }} built
 */
export function launcher(name, { outdir, metafile }) {
  const { files, outside } = loadedAtStart(join(outdir, `${name}.main.js`), metafile)
  const hash = createHash('sha256')
  for (const file of files) hash.update(readFileSync(file))
  // V8 takes compiled code for that of any source of the same length: only the name tells whose it is.
  const stem = `${name}-${hash.digest('hex').slice(0, 16)}`
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
if (!script || script.cachedDataRejected) {
  await import('./${name}.main.js')
} else {
  const outside = {${outside.map((path) => `\n    '${path}': await import('${path}'),`).join('')}
  }
  const require = createRequire(import.meta.url)
  script.runInThisContext()(
    (path) => outside[path] ?? require(path),
    (path) => import(path),
    import.meta.url,
  )
}
`
}

/**
 * What a program loads before it does anything: files of the bundle, and packages outside of it.
 *
 * @param {string} main
 * @param {import('esbuild').Metafile} metafile
 */
export function loadedAtStart(main, { outputs }) {
  const files = [main]
  const outside = new Set()
  for (const file of files) {
    for (const { path, kind, external } of outputs[file]?.imports ?? []) {
      if (kind !== 'import-statement' || isBuiltin(path)) continue
      if (external) outside.add(path)
      else if (!files.includes(path)) files.push(path)
    }
  }
  return { files, outside: [...outside] }
}
