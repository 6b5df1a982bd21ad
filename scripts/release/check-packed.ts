import { readFileSync } from 'node:fs'
import { checkPackage, createPackageFromTarballData, type ResolutionKind } from '@arethetypeswrong/core'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import type { PackedPackage } from './pack-packages.ts'
import { manifestFaults, type PublishedManifest } from './published-manifest.ts'

/** How TypeScript finds modules in programs that can use packages of ES modules alone. */
const resolutions: readonly ResolutionKind[] = ['node16-esm', 'bundler']

const neededFiles = ['LICENSE', 'README.md', 'package.json']

/** What is wrong with packages as they would be published, one line each. */
export async function checkPacked(packages: readonly PackedPackage[]): Promise<string[]> {
  const published = packages.map(({ name }) => name)
  const lines: string[] = []
  for (const packed of packages)
    for (const fault of await faultsOf(packed, published)) lines.push(`${packed.name}: ${fault}`)
  return lines
}

async function faultsOf({ name, directory, file }: PackedPackage, published: readonly string[]) {
  const bytes = readFileSync(file)
  const unpacked = createPackageFromTarballData(bytes)
  const prefix = `/node_modules/${name}/`
  const files = unpacked.listFiles(prefix).map((path) => path.slice(prefix.length))
  const manifest: PublishedManifest = JSON.parse(unpacked.readFile(`${prefix}package.json`))
  const types = await checkPackage(unpacked)
  const tarball = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength)
  const { messages, pkg } = await publint({ pkgDir: 'package', strict: true, pack: { tarball } })
  return [
    ...manifestFaults(manifest, { directory, published }),
    ...neededFiles.filter((path) => !files.includes(path)).map((path) => `has no ${path}`),
    ...files
      .filter((path) => /\.test\.|\/testing\//.test(path))
      .map((path) => `has ${path}, which is a test's`),
    ...files
      .filter((path) => path.startsWith('dist/.build/'))
      .map((path) => `has ${path}, which is the build's`),
    ...(name === '@nsbox/server' && !files.includes('dist/revision.json')
      ? ['does not tell its revision; it has to be built']
      : []),
    ...(types.types === false ? ['has no types'] : types.problems)
      .filter(
        (problem) =>
          typeof problem === 'string' ||
          !('resolutionKind' in problem) ||
          resolutions.includes(problem.resolutionKind),
      )
      .map((problem) => (typeof problem === 'string' ? problem : JSON.stringify(problem))),
    ...messages.map((message) => formatMessage(message, pkg) ?? message.code),
  ]
}
