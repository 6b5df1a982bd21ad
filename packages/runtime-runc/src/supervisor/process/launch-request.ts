import type { ProcessIo } from '@nsbox/core/tasks'
import type { Fields } from '../protocol/fields.ts'
import { readIo } from '../protocol/process-record.ts'

/** What a daemon asks a supervisor to launch. */
export interface LaunchMessage {
  readonly key: string
  readonly command: readonly string[]
  readonly pidFile: string
  readonly consoleSocket: string | undefined
  readonly fromMemory: boolean
  readonly env: Readonly<Record<string, string>>
  readonly io: ProcessIo
  readonly owner: { readonly uid: number; readonly gid: number } | undefined
  readonly container: { readonly id: string; readonly namespace: string }
  /** Whether a client that leaves has ended the input, until `keepStdin`. */
  readonly waits: boolean
  /** Milliseconds. */
  readonly timeout: number
}

/** The last one stands for no change (chown(2)). */
const mostId = 2 ** 32 - 2
/** What a timer takes. */
const longestTimeout = 2 ** 31 - 1

/** @throws `invalid_argument` for anything but such a message */
export function readLaunchMessage(fields: Fields): LaunchMessage {
  const owner = fields.optionalObject('owner')
  const container = fields.object('container')
  return {
    key: fields.string('key', 512),
    command: fields.strings('command', 10_000),
    pidFile: fields.string('pidFile', 4096),
    consoleSocket: fields.has('consoleSocket') ? fields.string('consoleSocket', 107) : undefined,
    fromMemory: fields.boolean('fromMemory'),
    env: fields.stringMap('env'),
    io: readIo(fields.object('io')),
    owner: owner && { uid: owner.count('uid', mostId), gid: owner.count('gid', mostId) },
    container: { id: container.string('id', 512), namespace: container.string('namespace', 512) },
    waits: fields.boolean('waits'),
    timeout: fields.count('timeout', longestTimeout),
  }
}
