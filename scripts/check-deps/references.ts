import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { takenIn } from './floors.ts'
import { scope, type Workspace } from './workspace.ts'

interface Configuration {
  readonly references?: readonly { readonly path: string }[]
}

/**
 * References of packages to each other, by which the compiler knows what to build first, that are not the dependencies
 * of their manifests and what they take in.
 */
export function checkReferences({ packages }: Workspace): string[] {
  const compiled = packages.filter(({ directory }) => existsSync(join(directory, 'tsconfig.json')))
  const names = compiled.map(({ name }) => name)
  return compiled.flatMap(({ name, directory, manifest }) => {
    const text = readFileSync(join(directory, 'tsconfig.json'), 'utf8')
    const { references = [] } = JSON.parse(text) as Configuration
    const referred = references.map(({ path }) => path)
    const used = [
      ...Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }),
      ...(takenIn[name] ?? []),
    ]
    const wanted = used.flatMap((path) => {
      const [first, own = ''] = path.split('/')
      return `${first}/` === scope && names.includes(own) ? [`../${own}`] : []
    })
    const where = `packages/${name}/tsconfig.json`
    return [
      ...wanted
        .filter((path) => !referred.includes(path))
        .map((path) => `${where} lacks a reference to ${path}`),
      ...referred
        .filter((path) => !wanted.includes(path))
        .map((path) => `${where} refers to ${path}, on which ${name} does not depend`),
    ]
  })
}
