import type { Explanation } from '@nsbox/client'
import type { StoredObject } from '@nsbox/core/disk'
import { NsboxError, quoted } from '@nsbox/errors'
import { Command } from 'commander'
import { withSession } from '../command-action.ts'
import { print, printText } from '../print.ts'

/** `why <id>` */
export function whyCommand(): Command {
  return new Command('why')
    .description(
      'show what keeps an object from being collected: each chain of references from its root down',
    )
    .argument(
      '<id>',
      'digest, chain id, name of an image, key of a snapshot, id of a container or lease, or ref',
    )
    .option('--json', 'print JSON')
    .action(
      withSession(async ({ client, signal }, { json }: { json?: boolean }, id: string) => {
        const { found, elsewhere } = await client.disk.why(id, { signal })
        if (found.length === 0) throw notFound(client.namespace, id, elsewhere)
        if (json) return print(JSON.stringify({ found, elsewhere }))
        for (const explanation of found) printText(explained(explanation))
        if (elsewhere.length > 0) print(`also in namespaces: ${elsewhere.join(', ')}`)
      }),
    )
}

function notFound(namespace: string, id: string, elsewhere: readonly string[]): NsboxError {
  const others = elsewhere.length === 0 ? '' : `; other namespaces have it: ${elsewhere.join(', ')}`
  return new NsboxError(
    'not_found',
    `nothing in namespace ${quoted(namespace)} has the id ${quoted(id)}${others}`,
  )
}

function explained({ object, chains }: Explanation): string {
  if (chains.length === 0) return `${shown(object)}\n  nothing keeps it: the next collection removes it\n`
  const lines = chains.flatMap((chain) =>
    chain.map((link, depth) => `${'  '.repeat(depth + 1)}${shown(link)}`),
  )
  return `${[shown(object), ...lines].join('\n')}\n`
}

function shown({ kind, id, snapshotter, isRoot, isFlat, isMissing, expiresAt }: StoredObject): string {
  const notes = [
    snapshotter,
    ...(isRoot && (kind === 'content' || kind === 'snapshot') ? ['stays by itself'] : []),
    ...(isFlat ? ['flat'] : []),
    ...(isMissing ? ['missing'] : []),
    ...(expiresAt === undefined ? [] : [`until ${expiresAt.toISOString()}`]),
  ].filter((note) => note !== undefined)
  return `${kind} ${id}${notes.length === 0 ? '' : ` (${notes.join(', ')})`}`
}
