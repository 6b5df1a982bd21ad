import type { Fields } from './fields.ts'
import { type ProcessIo, readIo } from './process-record.ts'

/** What a client asks a supervisor to launch. */
export interface LaunchMessage {
  readonly key: string
  readonly command: readonly string[]
  /** The name of the launch, if the command is not to be the process, but makes it. */
  readonly makes: string | undefined
  readonly fromMemory: boolean
  readonly env: Readonly<Record<string, string>>
  readonly io: ProcessIo
  readonly owner: { readonly uid: number; readonly gid: number } | undefined
  readonly logEnv: Readonly<Record<string, string>>
  /** Whether a writer that leaves has ended the input, until `keepStdin`. */
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
  return {
    key: fields.string('key', 512),
    command: fields.strings('command', 10_000),
    makes: fields.has('makes') ? fields.string('makes', 16, /^[\w-]+$/) : undefined,
    fromMemory: fields.boolean('fromMemory'),
    env: fields.stringMap('env'),
    io: readIo(fields.object('io')),
    owner: owner && { uid: owner.count('uid', mostId), gid: owner.count('gid', mostId) },
    logEnv: fields.stringMap('logEnv'),
    waits: fields.boolean('waits'),
    timeout: fields.count('timeout', longestTimeout),
  }
}
