import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemPackages } from '../setup/system-packages.mjs'
import { scope, type Workspace } from './workspace.ts'

/**
 * Dependencies and system packages without a row in docs/dependencies.md, and rows without either.
 */
export function checkDocumentation({ root, packages, others }: Workspace): string[] {
  const file = join(root, 'docs/dependencies.md')
  const text = existsSync(file) ? readFileSync(file, 'utf8') : ''
  const documented = new Set([...text.matchAll(/^\| `([^`]+)` \|/gm)].map(([, name]) => name!))
  const manifests = [...packages, ...others].map(({ manifest }) => manifest)
  const used = new Set([
    ...systemPackages.map(({ name }) => name),
    ...manifests
      .flatMap(({ dependencies, devDependencies, peerDependencies }) =>
        Object.keys({ ...dependencies, ...devDependencies, ...peerDependencies }),
      )
      .filter((name) => !name.startsWith(scope)),
  ])
  return [
    ...[...used]
      .filter((name) => !documented.has(name))
      .map((name) => `docs/dependencies.md has no row for ${name}`),
    ...[...documented]
      .filter((name) => !used.has(name))
      .map((name) => `docs/dependencies.md has a row for ${name}, which nothing uses`),
  ]
}
