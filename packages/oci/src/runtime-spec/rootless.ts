import type { IdMapping } from './id-mapping.ts'
import { withUserNamespace } from './namespace-options.ts'
import type { SpecOption } from './spec-option.ts'
import { withinUserNamespace } from './within-user-namespace.ts'

export interface RootlessOptions {
  /** The host's ids of the container: at least the user's own for 0. */
  readonly uidMappings: readonly IdMapping[]
  readonly gidMappings: readonly IdMapping[]
  /** Whether the user may make cgroups; otherwise no limit can be set. */
  readonly cgroups?: boolean
}

/**
 * Changes a spec so that a user other than root can run it: in a user namespace of its own, as `withinUserNamespace`
 * has it. runc sets no supplementary groups for such a user.
 */
export function withRootless({ uidMappings, gidMappings, cgroups = false }: RootlessOptions): SpecOption {
  const mapped = withUserNamespace({ uid: uidMappings, gid: gidMappings })
  const inside = withinUserNamespace({
    uids: uidMappings,
    gids: gidMappings,
    groups: false,
    cgroup: cgroups ? '' : undefined,
  })
  return (spec) => inside(mapped(spec))
}
