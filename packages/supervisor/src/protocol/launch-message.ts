import * as v from 'valibot'
import { endsWithClient, processIo } from './process-record.ts'
import { integer, key, list, variables, word } from './schema.ts'

const path = v.pipe(word, v.startsWith('/'))

/** The highest value means no change (chown(2)). */
const id = integer(0, 2 ** 32 - 2)

export const launchMessage = v.object({
  key,
  command: list(word, 10_000),
  /** The name of the launch, if the command makes the process and does not become it. */
  makes: v.optional(v.pipe(v.string(), v.regex(/^[\w-]{1,16}$/))),
  /** The caller's own pid file for a process that is made. */
  pidFile: v.optional(path),
  cwd: path,
  fromMemory: v.boolean(),
  env: variables,
  io: processIo,
  owner: v.optional(v.object({ uid: id, gid: id })),
  logEnv: variables,
  /** Whether the input ends when a writer leaves, until `keepStdin`. */
  waits: v.boolean(),
  endsWithClient: v.optional(endsWithClient),
  /** Milliseconds, up to the longest time of a timer. */
  timeout: integer(0, 2 ** 31 - 1),
})

/** A client's request for a launch. */
export type LaunchMessage = Readonly<v.InferOutput<typeof launchMessage>>
