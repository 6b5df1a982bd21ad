import { readFile } from 'node:fs/promises'
import type { Client } from '@nsbox/client'
import type { AbortOptions } from '@nsbox/core/content'
import type { Sandbox } from '@nsbox/core/sandboxes'
import { fromSystemError, NsboxError } from '@nsbox/errors'
import { parseStrictJson } from '@nsbox/oci'
import type { Timestamp } from '@nsbox/time'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { Command } from 'commander'
import { withSession } from '../command-action.ts'
import { complain, type ListOptions, print, printList } from '../print.ts'
import { repeated } from '../repeated-option.ts'
import { renderTable } from '../table.ts'

/** The type by which clients of containerd know the spec of a sandbox, or of a container. */
const specType = 'types.containerd.io/opencontainers/runtime-spec/1/Spec'

/** `sandboxes ls|rm|run` */
export function sandboxesCommand(): Command {
  return new Command('sandboxes')
    .aliases(['sandbox', 'sb', 's'])
    .description('manage sandboxes')
    .addCommand(listCommand())
    .addCommand(removeCommand())
    .addCommand(runCommand())
}

function runCommand(): Command {
  return new Command('run')
    .aliases(['create', 'c', 'r'])
    .description('make a sandbox, start it and print its id')
    .argument('<config>', 'file with the spec of the sandbox, as JSON')
    .argument('<id>', 'id of the sandbox')
    .option('--runtime <name>', 'runtime', 'io.containerd.runc.v2')
    .action(
      withSession(async ({ client, signal }, { runtime }: { runtime: string }, file: string, id: string) => {
        const value = await readObject(file)
        await using failed = new AsyncDisposableStack()
        await client.sandboxes.create(
          { id, runtime: { name: runtime }, spec: { typeUrl: specType, value } },
          { signal },
        )
        failed.defer(() => client.sandboxes.delete(id))
        await client.sandboxController.create(id, { signal })
        failed.defer(() => client.sandboxController.shutdown(id))
        await client.sandboxController.start(id, { signal })
        failed.move()
        print(id)
      }),
    )
}

/**
 * The bytes of a file that has a JSON object; what is in it is the runtime's business.
 * @throws `invalid_argument` for anything else
 */
async function readObject(file: string): Promise<Uint8Array> {
  const bytes = await readFile(file).catch((error: unknown) => {
    throw fromSystemError(error, file)
  })
  const json = parseStrictJson(bytes, file)
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new NsboxError('invalid_argument', `${file}: no JSON object`)
  return bytes
}

function listCommand(): Command {
  return new Command('list')
    .alias('ls')
    .description('list sandboxes')
    .option('--filters <filter>', 'list only what matches; may be given again', repeated)
    .option('-q, --quiet', 'print only the ids')
    .option('--json', 'print JSON')
    .action(
      withSession(async ({ client, signal }, options: ListOptions & { filters?: string[] }) => {
        const sandboxes: ReturnType<typeof listed>[] = []
        for await (const sandbox of client.sandboxes.list(options.filters, { signal }))
          sandboxes.push(listed(sandbox))
        printList(
          sandboxes,
          options,
          ({ id }) => id,
          () => {
            const rows = sandboxes.map(({ id, createdAt, runtime }) => [id, goTime(createdAt), runtime, ''])
            return renderTable([['ID', 'CREATED', 'RUNTIME', ''], ...rows], { minWidth: 1, padding: 1 })
          },
        )
      }),
    )
}

function listed({ runtime, spec, extensions, ...rest }: Sandbox) {
  return { ...rest, runtime: runtime.name, spec: spec?.typeUrl, extensions: Object.keys(extensions).sort() }
}

/** A time as Go prints it where nobody says how: `2026-01-02 03:04:05.6 +0000 UTC`. */
function goTime(time: Timestamp): string {
  return time.toString().replace('T', ' ').replace('Z', ' +0000 UTC')
}

function removeCommand(): Command {
  return new Command('remove')
    .alias('rm')
    .description('stop sandboxes and remove them')
    .argument('<ids...>')
    .option('-f, --force', 'remove a sandbox also if it cannot be stopped')
    .action(
      withSession(async ({ client, signal }, { force = false }: { force?: boolean }, ids: string[]) => {
        let failure: unknown
        for (const id of ids) {
          try {
            await remove(client, id, { force, signal })
          } catch (error) {
            signal.throwIfAborted()
            complain(`${id}: ${(error as Error).message}`)
            failure ??= error
          }
        }
        if (failure !== undefined) throw new Error('not all sandboxes were removed', { cause: failure })
      }),
    )
}

async function remove(
  { sandboxes, sandboxController }: Client,
  id: string,
  { force, signal }: { readonly force: boolean } & AbortOptions,
): Promise<void> {
  await sandboxes.get(id, { signal })
  const stop = async (call: Promise<void>) => {
    try {
      await call
    } catch (error) {
      if (!force) throw error
      signal?.throwIfAborted()
      complain(`${id}: ${(error as Error).message}`)
    }
  }
  await stop(sandboxController.stop(id, { signal }))
  await stop(sandboxController.shutdown(id, { signal }))
  await sandboxes.delete(id, { signal })
}
