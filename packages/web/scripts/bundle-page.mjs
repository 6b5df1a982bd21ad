import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { build } from 'esbuild'

const root = join(import.meta.dirname, '..')
const outdir = join(root, 'dist/page')

/**
 * Bundles the page into `dist/page`, with a list of its files that the server reads. Their names change with their
 * contents, so that a browser may keep them.
 *
 * @returns {Promise<{ inputs: string[], outputs: string[] }>} the files it was made of, and those that were made, as
 *   seen from the package
 */
export async function bundlePage() {
  rmSync(outdir, { recursive: true, force: true })
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [{ in: 'src/page/main.tsx', out: 'main' }],
    outdir,
    entryNames: '[name]-[hash]',
    chunkNames: '[name]-[hash]',
    bundle: true,
    splitting: true,
    minify: true,
    platform: 'browser',
    target: ['chrome120', 'firefox120', 'safari17'],
    format: 'esm',
    conditions: ['@nsbox/source'],
    tsconfig: 'src/page/tsconfig.json',
    legalComments: 'none',
    logLevel: 'warning',
    metafile: true,
    plugins: [{ name: 'styles of xterm.js', setup: keepStylesOut }],
  })

  const built = Object.entries(metafile.outputs)
  const entry = built.find(([, { entryPoint }]) => entryPoint === 'src/page/main.tsx')
  if (entry === undefined) throw new Error('the bundler tells of no entry')
  const [script, { cssBundle: style = '' }] = entry
  const html = readFileSync(join(root, 'src/page/index.html'), 'utf8')
    .replace('main.css', basename(style))
    .replace('main.js', basename(script))
  writeFileSync(join(outdir, 'index.html'), html)
  const names = ['index.html', ...built.map(([path]) => basename(path))]
  writeFileSync(join(outdir, 'files.json'), `${JSON.stringify(names, null, 2)}\n`)
  return {
    inputs: [...Object.keys(metafile.inputs), 'src/page/index.html'],
    outputs: [...names, 'files.json'].map((name) => `dist/page/${name}`),
  }
}

/**
 * Has xterm.js put its styles into elements that browsers pass over (src/page/containers/adopt-styles.ts).
 * @param {import('esbuild').PluginBuild} build
 */
function keepStylesOut({ onLoad }) {
  onLoad({ filter: /@xterm[\\/]xterm[\\/]lib[\\/]xterm\.m?js$/ }, ({ path }) => {
    const source = readFileSync(path, 'utf8')
    const contents = source.replaceAll('createElement("style")', 'createElement("template")')
    if (contents === source) throw new Error(`${path} makes its styles in another way`)
    return { contents, loader: 'js' }
  })
}
