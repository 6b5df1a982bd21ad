// Builds packages, each with those that it depends on, and of them only what has changed since:
//   node scripts/build.mjs [PACKAGE …]
// PACKAGE is the name of a directory below `packages`; without one it is all. One compiler makes the modules and their
// declarations, in the order that the references of the packages' tsconfig.json give; then what is bundled is made from
// sources, in the place of the modules of the same name. What either needs to know of the last time lies in
// `dist/.build`.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { bundlePage } from '../packages/web/scripts/bundle-page.mjs'
import { makeBundles } from './bundle.mjs'
import { bundles } from './bundles.mjs'
import { manuals, writeManual } from './manual.mjs'
import { command, root } from './setup/command.mjs'
import { hashOf, unlessFresh } from './unless-fresh.mjs'

const packages = join(root, 'packages')
const all = readdirSync(packages).filter((name) => existsSync(join(packages, name, 'tsconfig.json')))

try {
  await buildPackages(process.argv.length > 2 ? process.argv.slice(2) : all)
} catch (error) {
  console.error(`build: ${error instanceof Error ? error.message : error}`)
  process.exitCode = 1
}

/** @param {readonly string[]} names */
async function buildPackages(names) {
  const unknown = names.find((name) => !all.includes(name))
  if (unknown !== undefined) throw new Error(`packages/${unknown} is nothing that can be built`)
  const compiler = join(root, 'node_modules/.bin/tsc')
  const { code } = await command(
    compiler,
    ['-b', '--checkers', '1', ...names.map((name) => join(packages, name))],
    {
      minutes: 10,
    },
  )
  if (code !== 0) throw new Error('types are wrong')
  const built = withReferences(names)
  const setting = hashOf([
    ...['bundle.mjs', 'bundles.mjs', 'launcher.mjs', 'manual.mjs'].map((name) =>
      join(import.meta.dirname, name),
    ),
    join(packages, 'web/scripts/bundle-page.mjs'),
    join(root, 'pnpm-lock.yaml'),
    ...all.map((name) => join(packages, name, 'package.json')),
  ])
  for (const name of built) {
    const directory = join(packages, name)
    const bundling = { directory, kind: 'bundles', setting }
    const its = bundles[name]
    const make = async () => {
      const made = await makeBundles(directory, its ?? [])
      const manual = manuals[name]
      if (manual !== undefined) made.outputs.push(await writeManual(directory, manual))
      return made
    }
    if (its !== undefined) await unlessFresh(bundling, make)
    if (name === 'web') await unlessFresh(bundling, bundlePage)
    if (name === 'server') {
      const revision = join(import.meta.dirname, 'revision.mjs')
      const options = { minutes: 2, cwd: directory }
      const told = await command(process.execPath, [revision, 'dist/revision.json'], options)
      if (told.code !== 0) throw new Error('the revision cannot be told')
    }
  }
}

/**
 * Packages and what they depend on.
 *
 * @param {readonly string[]} names
 */
function withReferences(names) {
  const found = new Set(names)
  for (const name of found) {
    const { references = [] } = JSON.parse(readFileSync(join(packages, name, 'tsconfig.json'), 'utf8'))
    for (const { path } of references) found.add(path.slice('../'.length))
  }
  return found
}
