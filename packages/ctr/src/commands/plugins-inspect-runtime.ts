import { unpackKnownAny } from '@nsbox/api'
import type { RuntimeDescription } from '@nsbox/client'
import type { OpaqueValue } from '@nsbox/core/containers'
import { Command } from 'commander'
import { withSession } from '../command-action.ts'
import { addRuntimeFlags, type RuntimeFlags } from '../container/runtime-flags.ts'
import { runtimeOf } from '../container/runtime-options.ts'
import { indentJson } from '../indent-json.ts'
import { messageJson } from '../message-json.ts'
import { isJson, jsonText, shownOpaque } from '../opaque-json.ts'
import { printText } from '../print.ts'

/** `plugins inspect-runtime` */
export function inspectRuntimeCommand(): Command {
  const command = new Command('inspect-runtime').description(
    'show version, options and features of a runtime',
  )
  return addRuntimeFlags(command).action(
    withSession(async ({ client, signal }, flags: RuntimeFlags) => {
      const description = await client.introspection.runtime(runtimeOf(flags), { signal })
      printText(`${indentJson(descriptionJson(description))}\n`)
    }),
  )
}

/** With the names that containerd's client has for them. */
function descriptionJson(runtime: RuntimeDescription): string {
  const { name, version, revision, options, features, annotations } = runtime
  const fields = {
    Name: JSON.stringify(name),
    Version: JSON.stringify({ Version: version, Revision: revision }),
    Options: valueJson('options of the runtime', options),
    Features: valueJson('features of the runtime', features),
    Annotations: JSON.stringify(Object.keys(annotations).length === 0 ? null : annotations),
  }
  return `{${Object.entries(fields).map(([key, json]) => `${JSON.stringify(key)}:${json}`)}}`
}

function valueJson(what: string, value: OpaqueValue | undefined): string {
  if (value === undefined) return 'null'
  if (isJson(value)) return jsonText(what, value)
  const message = unpackKnownAny(value)
  return message === undefined ? JSON.stringify(shownOpaque(value)) : messageJson(message)
}
