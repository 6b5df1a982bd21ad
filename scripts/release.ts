// Publishes all public packages:
//   node --import tsx scripts/release.ts [--dry-run]
// Builds them anew, packs and checks them, and publishes the very files that were checked, with a statement of where
// they come from (provenance), which npm makes where it runs in a workflow of a hosted CI. --dry-run does all but the
// last step, and prints what would be published; versions are then those that the waiting changesets lead to.
// A version that has been published is left out, so that a release that broke off can be run again.
import { rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import getReleasePlan from '@changesets/get-release-plan'
import { checkPacked } from './release/check-packed.ts'
import { type PackedPackage, packPackages, publicDirectories } from './release/pack-packages.ts'
import { command, root } from './setup/command.mjs'
import { pnpm } from './setup/pnpm.mjs'

const { values } = parseArgs({ options: { 'dry-run': { type: 'boolean', default: false } } })
const directory = await mkdtemp(join(tmpdir(), 'nsbox-release-'))
try {
  await release(values['dry-run'])
} catch (error) {
  console.error(`release: ${error instanceof Error ? error.message : error}`)
  process.exitCode = 1
} finally {
  await rm(directory, { recursive: true })
}

async function release(dryRun: boolean): Promise<void> {
  const { changesets, releases } = await getReleasePlan(root)
  const planned = new Map(releases.map(({ name, newVersion }) => [name, newVersion]))
  if (!dryRun) {
    if (changesets.length > 0)
      throw new Error('changesets are waiting; run `npm run version` and commit what it makes')
    const { output } = await command('git', ['status', '--porcelain'], { minutes: 1, output: 'collect' })
    if (output !== '') throw new Error('there are changes that are not committed')
  }
  // What earlier builds have left is not of this release.
  for (const name of publicDirectories())
    rmSync(join(root, 'packages', name, 'dist'), { recursive: true, force: true })
  await ensure('the build', pnpm(['run', '--silent', 'build'], { minutes: 10 }))

  const packages = await packPackages(directory)
  const faults = await checkPacked(packages)
  if (faults.length > 0) throw new Error(`nothing is published:\n${faults.join('\n')}`)
  for (const packed of packages) await publish(packed, { dryRun, planned: planned.get(packed.name) })
}

async function publish(
  { name, version, file }: PackedPackage,
  { dryRun, planned }: { dryRun: boolean; planned: string | undefined },
): Promise<void> {
  const args = ['publish', file, '--provenance', '--access', 'public']
  if (dryRun) {
    console.log(`would publish ${name} ${planned ?? version}: npm ${['publish', ...args.slice(2)].join(' ')}`)
    return
  }
  const wanted = `${name}@${version}`
  const found = await command('npm', ['view', wanted, 'version'], { minutes: 2, output: 'collect' })
  if (found.code === 0 && found.output.trim() === version)
    return console.log(`${wanted} has been published before`)
  await ensure(`publishing ${wanted}`, command('npm', args, { minutes: 5 }))
}

async function ensure(what: string, step: Promise<{ code: number }>): Promise<void> {
  const { code } = await step
  if (code !== 0) throw new Error(`${what} ended with exit code ${code}`)
}
