import * as v from 'valibot'
import { processIo } from './process-record.ts'
import { integer, key, list, variables, word } from './schema.ts'

const path = v.pipe(word, v.startsWith('/'))

/** The last one stands for no change (chown(2)). */
const id = integer(0, 2 ** 32 - 2)

export const launchMessage = v.object({
  key,
  command: list(word, 10_000),
  /** The name of the launch, if the command is not to be the process, but makes it. */
  makes: v.optional(v.pipe(v.string(), v.regex(/^[\w-]{1,16}$/))),
  /** The caller's own file for the number of a process that is made. */
  pidFile: v.optional(path),
  cwd: path,
  fromMemory: v.boolean(),
  env: variables,
  io: processIo,
  owner: v.optional(v.object({ uid: id, gid: id })),
  logEnv: variables,
  /** Whether a writer that leaves has ended the input, until `keepStdin`. */
  waits: v.boolean(),
  /** Milliseconds, as many as a timer takes. */
  timeout: integer(0, 2 ** 31 - 1),
})

/** What a client asks a supervisor to launch. */
export type LaunchMessage = Readonly<v.InferOutput<typeof launchMessage>>
