import { isNotFound, undefinedIf } from '@nsbox/errors'
import { Command } from 'commander'
import { withSession } from '../command-action.ts'
import { formatLabels } from '../format-labels.ts'
import { parseLabels } from '../parse-labels.ts'
import { type ListOptions, print, printList } from '../print.ts'
import { renderTable } from '../table.ts'

/** `namespaces create|ls|label|rm` */
export function namespacesCommand(): Command {
  return new Command('namespaces')
    .aliases(['namespace', 'ns'])
    .description('manage namespaces')
    .addCommand(createCommand())
    .addCommand(listCommand())
    .addCommand(labelCommand())
    .addCommand(removeCommand())
}

function createCommand(): Command {
  return new Command('create')
    .alias('c')
    .description('create a namespace')
    .argument('<name>')
    .argument('[labels...]', 'key=value')
    .action(
      withSession(async ({ client, signal }, _options, name: string, labels: string[]) => {
        await client.namespaces.create({ name, labels: parseLabels(labels) }, { signal })
      }),
    )
}

function listCommand(): Command {
  return new Command('list')
    .alias('ls')
    .description('list namespaces')
    .option('-q, --quiet', 'print only the names')
    .option('--json', 'print JSON')
    .action(
      withSession(async ({ client, signal }, options: ListOptions) => {
        const namespaces = await client.namespaces.list({ signal })
        const rows = namespaces.map(({ name, labels }) => [name, formatLabels(labels, '')])
        const table = () => renderTable([['NAME', 'LABELS'], ...rows], { minWidth: 1, padding: 1 })
        printList(namespaces, options, ({ name }) => name, table)
      }),
    )
}

function labelCommand(): Command {
  return new Command('label')
    .alias('set-labels')
    .description('set labels of a namespace; an empty value deletes the label')
    .argument('<name>')
    .argument('<labels...>', 'key=value')
    .action(
      withSession(async ({ client, signal }, _options, name: string, labels: string[]) => {
        await client.namespaces.update(name, { merge: parseLabels(labels) }, { signal })
      }),
    )
}

function removeCommand(): Command {
  return new Command('remove')
    .alias('rm')
    .description('remove namespaces, which must be empty')
    .argument('<names...>')
    .option('-c, --cgroup', 'remove the cgroup of each as well, on this host')
    .action(
      withSession(async ({ client, signal }, { cgroup }: { cgroup?: boolean }, names: string[]) => {
        let failure: unknown
        for (const name of names) {
          try {
            await undefinedIf(isNotFound, client.namespaces.delete(name, { signal }))
            if (cgroup) await removeCgroup(name)
          } catch (error) {
            failure ??= new Error(`unable to delete ${name}: ${(error as Error).message}`, { cause: error })
            continue
          }
          print(name)
        }
        if (failure !== undefined) throw failure
      }),
    )
}

/** Loaded only here: the list of mounts needs native code, which other commands start without. */
async function removeCgroup(namespace: string): Promise<void> {
  const { removeNamespaceCgroup } = await import('../remove-namespace-cgroup.ts')
  await removeNamespaceCgroup(namespace)
}
