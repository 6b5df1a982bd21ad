import type { Plugin } from '@nsbox/client'
import { formatPlatform } from '@nsbox/oci'
import { Command } from 'commander'
import { withSession } from '../command-action.ts'
import { type ListOptions, printList, printText } from '../print.ts'
import { renderTable } from '../table.ts'

/** `plugins ls` */
export function pluginsCommand(): Command {
  const list = new Command('list')
    .alias('ls')
    .description('list what the server is made of')
    .argument('[filters...]')
    .option('-q, --quiet', 'print only the ids')
    .option('-d, --detailed', 'print all that is known')
    .option('--json', 'print JSON')
    .action(
      withSession(
        async ({ client, signal }, options: ListOptions & { detailed?: boolean }, filters: string[]) => {
          const plugins = await client.introspection.plugins(filters, { signal })
          if (options.detailed && !options.json && !options.quiet)
            printText(plugins.map((plugin) => describe(plugin).join('')).join('\n'))
          else
            printList(
              plugins.map((plugin) => ({ ...plugin, status: statusOf(plugin) })),
              options,
              ({ id }) => id,
              () => renderPlugins(plugins),
            )
        },
      ),
    )
  return new Command('plugins')
    .alias('plugin')
    .description('show what the server is made of')
    .addCommand(list)
}

function renderPlugins(plugins: readonly Plugin[]): string {
  const rows = plugins.map((plugin) => {
    return [plugin.type, plugin.id, platformsOf(plugin) || '-', statusOf(plugin), '']
  })
  return renderTable([['TYPE', 'ID', 'PLATFORMS', 'STATUS', ''], ...rows], { minWidth: 4, padding: 4 })
}

const platformsOf = ({ platforms }: Plugin) => [...new Set(platforms.map(formatPlatform))].sort().join(',')

/** Servers end the message of a plugin that does not suit the host, and was left out, with `skip plugin`. */
function statusOf({ initError }: Plugin): 'ok' | 'skip' | 'error' {
  if (initError === undefined) return 'ok'
  return initError.message.endsWith('skip plugin') ? 'skip' : 'error'
}

/** All about a plugin, in lines of a name and a value. */
function describe(plugin: Plugin): string[] {
  const { type, id, requires, exports, capabilities, initError } = plugin
  const platforms = platformsOf(plugin)
  return [
    line('Type:', type),
    line('ID:', id),
    ...(requires.length > 0 ? [line('Requires:'), ...requires.map((each) => line('', each))] : []),
    ...(platforms === '' ? [] : [line('Platforms:', platforms)]),
    ...below('Exports:', exports),
    ...(capabilities.length > 0 ? [line('Capabilities:', capabilities.join(','))] : []),
    ...(initError === undefined
      ? []
      : below('Error:', {
          'Code:': codeNames[initError.code] ?? `${initError.code}`,
          'Message:': initError.message,
        })),
  ]
}

const line = (name: string, value = '') => `${name.padEnd(18)}${value}`.trimEnd().concat('\n')

function below(name: string, values: Readonly<Record<string, string>>): string[] {
  const lines = Object.entries(values).map(([key, value]) => line('', `${key.padEnd(12)} ${value}`))
  return lines.length === 0 ? [] : [line(name), ...lines]
}

/** The names of gRPC's status codes, by their numbers (https://grpc.io/docs/guides/status-codes). */
const codeNames = [
  'OK',
  'Canceled',
  'Unknown',
  'InvalidArgument',
  'DeadlineExceeded',
  'NotFound',
  'AlreadyExists',
  'PermissionDenied',
  'ResourceExhausted',
  'FailedPrecondition',
  'Aborted',
  'OutOfRange',
  'Unimplemented',
  'Internal',
  'Unavailable',
  'DataLoss',
  'Unauthenticated',
]
