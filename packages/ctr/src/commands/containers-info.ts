import type { Container, OpaqueValue } from '@nsbox/core/containers'
import { Command } from 'commander'
import { withSession } from '../command-action.ts'
import { hasJsonSpec, specJson } from '../container/spec-json.ts'
import { indentJson } from '../indent-json.ts'
import { printText } from '../print.ts'

/** `containers info <container>` */
export function containersInfoCommand(): Command {
  return new Command('info')
    .description('show what is known of a container')
    .argument('<container>')
    .option('--spec', 'show only the spec')
    .action(
      withSession(async ({ client, signal }, { spec }: { spec?: boolean }, id: string) => {
        const container = await client.containers.get(id, { signal })
        printText(`${indentJson(spec ? specJson(container) : infoJson(container))}\n`)
      }),
    )
}

/** `containers spec <container>` */
export function containersSpecCommand(): Command {
  return new Command('spec')
    .description('show the spec of a container')
    .argument('<container>')
    .action(
      withSession(async ({ client, signal }, _options, id: string) => {
        printText(`${indentJson(specJson(await client.containers.get(id, { signal })))}\n`)
      }),
    )
}

/** As containerd's client prints it: opaque values as their type and bytes, except the spec, which is shown in full. */
function infoJson(container: Container): string {
  const { labels, runtime, extensions } = container
  const shown = {
    ID: container.id,
    Labels: Object.keys(labels).length === 0 ? null : sorted(Object.entries(labels)),
    Image: container.image,
    Runtime: { Name: runtime.name, Options: runtime.options ? opaque(runtime.options) : null },
    SnapshotKey: container.snapshotKey,
    Snapshotter: container.snapshotter,
    CreatedAt: container.createdAt.toString(),
    UpdatedAt: container.updatedAt.toString(),
    Extensions: sorted(Object.entries(extensions).map(([name, value]) => [name, opaque(value)])),
    SandboxID: container.sandbox,
  }
  const spec = hasJsonSpec(container) ? specJson(container) : JSON.stringify(opaque(container.spec))
  return `${JSON.stringify(shown).slice(0, -1)},"Spec":${spec}}`
}

function opaque({ typeUrl, value }: OpaqueValue) {
  return {
    ...(typeUrl !== '' && { type_url: typeUrl }),
    ...(value.byteLength > 0 && { value: Buffer.from(value).toString('base64') }),
  }
}

const sorted = <T>(entries: [string, T][]) => Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)))

/** A time without zeros at the end of its fraction. */
