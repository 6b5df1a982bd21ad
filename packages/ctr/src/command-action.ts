import { errorCode } from '@nsbox/errors'
import type { Command } from 'commander'
import type { GlobalOptions } from './global-options.ts'
import { openSession, type Session } from './session.ts'
import { withWhereabouts } from './whereabouts.ts'

/**
 * Makes a commander action of a function that works with a session: opened before, closed after, whatever happens.
 * Positional arguments come as commander gives them.
 */
export function withSession<Args extends unknown[], Options>(
  work: (session: Session, options: Options, ...args: Args) => Promise<void>,
): (...all: unknown[]) => Promise<void> {
  return async (...all) => {
    const command = all.at(-1) as Command
    const args = all.slice(0, -2) as Args
    await using session = await openSession(command.optsWithGlobals() as GlobalOptions)
    try {
      await work(session, command.opts() as Options, ...args)
    } catch (error) {
      // A cancelled call knows no cause; the signal has it.
      if (session.signal.aborted && errorCode(error) === 'canceled') throw session.signal.reason
      throw await withWhereabouts(session, error)
    }
  }
}

/** As `withSession`, of a function that is loaded when the command runs: few other commands need its code. */
export function lazyAction<Args extends unknown[], Options>(
  load: () => Promise<(session: Session, options: Options, ...args: Args) => Promise<void>>,
): (...all: unknown[]) => Promise<void> {
  return withSession<Args, Options>(async (...given) => await (await load())(...given))
}
