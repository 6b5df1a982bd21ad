import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type TempDir, tempDir } from '@nsbox/testing'
import { systemPackages } from '../../setup/system-packages.mjs'
import { checkWorkspace } from '../check-workspace.ts'

interface Declared {
  description?: string
  exports?: Readonly<Record<string, object>>
  dependencies?: readonly string[]
  devDependencies?: readonly string[]
  peerDependencies?: Readonly<Record<string, string>>
  peerDependenciesMeta?: Readonly<Record<string, object>>
}

/** Texts of files by their paths. */
export type Files = Readonly<Record<string, string>>

/** The text of a package.json; dependencies in short form, those of the workspace with their scope. */
export function manifest(
  name: string,
  { dependencies = [], devDependencies = [], ...rest }: Declared = {},
): string {
  const versions = (names: readonly string[]) =>
    Object.fromEntries(names.map((each) => [each, each.startsWith('@nsbox/') ? 'workspace:*' : 'catalog:']))
  return JSON.stringify({
    name,
    dependencies: versions(dependencies),
    devDependencies: versions(devDependencies),
    ...rest,
  })
}

/** A row of docs/dependencies.md. */
export const row = (name: string) => `| \`${name}\` | because |\n`
/** What docs/dependencies.md says of a workspace without dependencies. */
export const documentation = systemPackages.map(({ name }) => row(name)).join('')

/** A small workspace without faults, changed by `files`. */
export async function workspace(files: Files = {}): Promise<TempDir> {
  const dir = await tempDir()
  const all: Files = {
    'package.json': manifest('root'),
    'docs/dependencies.md': documentation,
    'packages/errors/package.json': manifest('@nsbox/errors'),
    'packages/errors/src/index.ts': `export { code } from './code.ts'`,
    'packages/errors/src/code.ts': 'export const code = 1',
    'packages/oci/package.json': manifest('@nsbox/oci', { dependencies: ['@nsbox/errors'] }),
    'packages/oci/src/digest.ts': `import { code } from '@nsbox/errors'\nexport const digest = code`,
    'packages/content/package.json': manifest('@nsbox/content', { dependencies: ['@nsbox/oci'] }),
    'packages/content/src/store.ts': `import type { digest } from '@nsbox/oci'\nexport type D = typeof digest`,
    ...files,
  }
  for (const [name, text] of Object.entries(all)) {
    const path = join(dir.path, name)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, text)
  }
  for (const [name, target] of [
    ['packages/oci/node_modules/@nsbox/errors', 'packages/errors'],
    ['packages/content/node_modules/@nsbox/oci', 'packages/oci'],
  ] as const) {
    const link = join(dir.path, name)
    await mkdir(dirname(link), { recursive: true })
    await symlink(join(dir.path, target), link)
  }
  return dir
}

/** What the check says about that workspace. */
export async function check(files: Files = {}, exempt: Files = {}): Promise<string[]> {
  await using dir = await workspace(files)
  return checkWorkspace(dir.path, exempt)
}
