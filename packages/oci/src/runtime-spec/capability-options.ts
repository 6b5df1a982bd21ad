import { assertCapability } from './capability.ts'
import type { Capabilities } from './process.ts'
import { changeProcess, type SpecOption } from './spec-option.ts'

// The sets for a process's current rights. The inheritable and ambient ones, for rights after an execve, are not
// changed (docs/threat-model.md B12).
const changed = ['bounding', 'effective', 'permitted'] as const

/** These capabilities and no others. */
export function withCapabilities(names: readonly string[]): SpecOption {
  for (const name of names) assertCapability(name)
  return change(() => [...new Set(names)])
}

/** @throws `invalid_argument` for names that are not spelled as in `capabilityNames` */
export function withAddedCapabilities(names: readonly string[]): SpecOption {
  for (const name of names) assertCapability(name)
  return change((present) => [...new Set([...present, ...names])])
}

/** @throws `invalid_argument` for names that are not spelled as in `capabilityNames` */
export function withDroppedCapabilities(names: readonly string[]): SpecOption {
  for (const name of names) assertCapability(name)
  return change((present) => present.filter((name) => !names.includes(name)))
}

/**
 * Capabilities that programs without file capabilities start with, for any user (capabilities(7), ambient set). They
 * are added to all five sets.
 */
export function withAmbientCapabilities(names: readonly string[]): SpecOption {
  const add = withAddedCapabilities(names)
  const merge = (present: readonly string[] = []): string[] => [...new Set([...present, ...names])]
  return (spec) =>
    changeProcess(add(spec), (process) => ({
      ...process,
      capabilities: {
        ...process.capabilities,
        inheritable: merge(process.capabilities?.inheritable),
        ambient: merge(process.capabilities?.ambient),
      },
    }))
}

function change(to: (present: readonly string[]) => string[]): SpecOption {
  return (spec) =>
    changeProcess(spec, (process) => {
      const sets: Record<string, readonly string[] | undefined> = { ...process.capabilities }
      for (const set of changed) sets[set] = to(sets[set] ?? [])
      // A capability that is not permitted cannot be inherited either.
      for (const set of ['inheritable', 'ambient'] as const)
        if (sets[set]) sets[set] = sets[set].filter((name) => sets.permitted!.includes(name))
      return { ...process, capabilities: sets as Capabilities }
    })
}
