import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../setup/command.mjs'
import { pnpm } from '../setup/pnpm.mjs'

/** A package as it would be published. */
export interface PackedPackage {
  readonly name: string
  readonly version: string
  /** Its directory's name below `packages`. */
  readonly directory: string
  /** The archive. */
  readonly file: string
}

/** Names of the directories below `packages` whose package is published. */
export function publicDirectories(): string[] {
  return readdirSync(join(root, 'packages')).filter((directory) => !manifestOf(directory).private)
}

/** All public packages, and where `packPackages` puts them in a directory. */
export function packedPackages(destination: string): PackedPackage[] {
  return publicDirectories().map((directory) => {
    const { name, version } = manifestOf(directory)
    const file = join(destination, `${name.replace('@', '').replace('/', '-')}-${version}.tgz`)
    return { name, version, directory, file }
  })
}

/**
 * Packs all public packages, as built, into files of a directory. What is published is these files: manifests have no
 * protocol of the workspace in them, and nothing that serves only in it (`.pnpmfile.cjs`).
 */
export async function packPackages(destination: string): Promise<PackedPackage[]> {
  const packages = packedPackages(destination)
  const filters = packages.flatMap(({ name }) => ['--filter', name])
  const args = ['--recursive', ...filters, 'pack', '--pack-destination', destination]
  const { code, output } = await pnpm(args, { minutes: 5, output: 'collect' })
  if (code !== 0) throw new Error(`packing ended with exit code ${code}: ${output}`)
  return packages
}

function manifestOf(directory: string): { name: string; version: string; private?: boolean } {
  return JSON.parse(readFileSync(join(root, 'packages', directory, 'package.json'), 'utf8'))
}
