import { createRequire } from 'node:module'

type BuildSync = (options: object) => { readonly outputFiles: readonly [{ readonly text: string }] }

const bundles = new Map<string, string>()

/**
 * A module of the workspace's sources with all its imports, as one CommonJS script. Threads and processes that run it
 * need no TypeScript loader, which would take them half a second each. Native code is found relative to this module.
 *
 * @param entry path of the module, which must not have a top-level await
 */
export function bundledSources(entry: string): string {
  const known = bundles.get(entry)
  if (known !== undefined) return known
  const { buildSync } = createRequire(import.meta.url)('esbuild') as { readonly buildSync: BuildSync }
  const { text } = buildSync({
    entryPoints: [entry],
    bundle: true,
    write: false,
    platform: 'node',
    target: 'node20.19',
    format: 'cjs',
    conditions: ['@nsbox/source'],
    define: { 'import.meta.url': JSON.stringify(import.meta.url) },
    logLevel: 'error',
  }).outputFiles[0]
  bundles.set(entry, text)
  return text
}
