import type { CompletedPlace, CompletionSource } from '@nsbox/command-line'
import { type NamedKind, objectNames } from './object-names.ts'

/** Of arguments, by their names in the definitions. */
const argumentKinds: Readonly<Record<string, NamedKind>> = {
  ...{ container: 'container', containers: 'container' },
  ...{ image: 'image', images: 'image', local: 'image' },
}

/** Of arguments whose names mean something else in each group of commands. */
const groupKinds: Readonly<Record<string, Readonly<Record<string, NamedKind>>>> = {
  images: { ref: 'image', name: 'image', names: 'image', source: 'image' },
  namespaces: { name: 'namespace', names: 'namespace' },
  leases: { ids: 'lease' },
  containers: { args: 'image' },
  run: { args: 'image' },
}

/** Tells the names of a kind of objects; `values` are those of options that were typed. */
type ObjectNames = (kind: NamedKind, values: Readonly<Record<string, string>>) => Promise<readonly string[]>

/**
 * What completes words of `ctr` and `dist`: names of objects of the server that is meant, and directories.
 *
 * @param ask tells the names; the server by default
 */
export function objectWords(ask: ObjectNames = objectNames) {
  return ({ path: [group = ''], name, position }: CompletedPlace): CompletionSource | undefined => {
    if (name === 'target') return 'directories'
    // The image comes first; what follows is of the new container.
    if (name === 'args' && position > 0) return undefined
    const kind = name === '--namespace' ? 'namespace' : (groupKinds[group]?.[name] ?? argumentKinds[name])
    return kind && ((values) => ask(kind, values))
  }
}
