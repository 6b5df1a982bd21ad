/** A log for errors of background work; a pino logger will do. */
export interface Log {
  warn(fields: object, message: string): void
  debug(fields: object, message: string): void
}

export const silent: Log = { warn: () => undefined, debug: () => undefined }
