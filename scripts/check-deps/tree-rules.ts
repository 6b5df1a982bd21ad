import { relative } from 'node:path'
import type { Workspace } from './workspace.ts'

/**
 * Files that may walk trees by node:fs, each with the reason why nobody else can write to what they walk. Whoever can
 * could put a symbolic link in a directory's place meanwhile; `removeTree` and `treeUsage` of `@nsbox/trees` are for
 * that.
 */
export const ownDirectories: Readonly<Record<string, string>> = {
  'packages/client/src/fork/fork-capture.ts': 'a directory of mode 0700 that it has made itself',
  'packages/content/src/ingest-directory.ts': 'the store’s own, below directories of mode 0700',
  'packages/ctr/src/commands/content-edit.ts': 'a temporary directory of mode 0700 of its own',
  'packages/dist/src/commands/apply.ts': 'a temporary directory of mode 0700 of its own',
  'packages/images/src/archive/export-to-directory.ts': 'a directory that it is just making, of its own user',
  'packages/trees/src/remove-tree.ts': 'off Linux, where no container writes to it',
  'packages/supervisor/src/client/start-supervisor.ts': 'the supervisor’s, of mode 0700',
  'packages/supervisor/src/client/supervisor-pool.ts': 'supervisors’, of mode 0700',
  'packages/supervisor/src/client/succession.ts': 'supervisors’, of mode 0700',
  'packages/supervisor/src/server/supervisor-server.ts': 'its own, of mode 0700',
}

/** Sources that walk trees by paths, with functions of node:fs that are recursive, and exemptions that nobody needs. */
export function checkTrees({ root, packages }: Workspace, exempt = ownDirectories): string[] {
  const unused = new Set(Object.keys(exempt))
  const problems = packages
    .filter(({ name }) => name !== 'testing')
    .flatMap(({ files }) => files)
    .filter(({ kind, recursiveCalls }) => kind === 'source' && recursiveCalls.length > 0)
    .flatMap(({ path, recursiveCalls }) => {
      const file = relative(root, path)
      if (unused.delete(file)) return []
      return recursiveCalls.map(
        (call) => `${file} calls ${call} of node:fs with options that may be recursive; see tree-rules.ts`,
      )
    })
  return [
    ...problems,
    ...[...unused].map((file) => `${file} is exempt in tree-rules.ts and has no recursive call of node:fs`),
  ]
}
