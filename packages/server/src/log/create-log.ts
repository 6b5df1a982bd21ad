import { type DestinationStream, type Logger, pino } from 'pino'
import { textLine } from './text-line.ts'

/** How to log. */
export interface LogOptions {
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal'
  readonly format: 'json' | 'text'
}

/**
 * Makes the log of a server program: lines on standard error, written synchronously so that none is lost in a crash.
 */
export function createLog({ level, format }: LogOptions): Logger {
  const stderr = pino.destination({ fd: 2, sync: true })
  const destination: DestinationStream =
    format === 'json' ? stderr : { write: (line) => void stderr.write(textLine(line)) }
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination)
}
