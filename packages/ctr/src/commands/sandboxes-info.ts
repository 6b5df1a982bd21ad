import type { Sandbox } from '@nsbox/core/sandboxes'
import { Command } from 'commander'
import { withSession } from '../command-action.ts'
import { indentJson } from '../indent-json.ts'
import { isJson, jsonText, shownExtensions, shownOpaque, shownRuntime, sortedLabels } from '../opaque-json.ts'
import { printText } from '../print.ts'

/** `sandboxes info <id>` */
export function sandboxesInfoCommand(): Command {
  return new Command('info')
    .alias('i')
    .description('show what is known of a sandbox')
    .argument('<id>')
    .action(
      withSession(async ({ client, signal }, _options, id: string) => {
        printText(`${indentJson(infoJson(await client.sandboxes.get(id, { signal })))}\n`)
      }),
    )
}

/** With the names that containerd's client has for them; the spec in full, as of a container. */
function infoJson({ spec, ...sandbox }: Sandbox): string {
  const shown = {
    ID: sandbox.id,
    Labels: sortedLabels(sandbox.labels),
    Runtime: shownRuntime(sandbox.runtime),
    Sandboxer: sandbox.sandboxer,
    CreatedAt: sandbox.createdAt.toString(),
    UpdatedAt: sandbox.updatedAt.toString(),
    Extensions: shownExtensions(sandbox.extensions),
  }
  const specText =
    spec === undefined
      ? 'null'
      : isJson(spec)
        ? jsonText(`spec of sandbox ${sandbox.id}`, spec)
        : JSON.stringify(shownOpaque(spec))
  return `${JSON.stringify(shown).slice(0, -1)},"Spec":${specText}}`
}
