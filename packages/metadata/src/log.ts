/** Where the store tells what no caller is there to hear; a pino logger is one. */
export interface Log {
  warn(fields: object, message: string): void
  debug(fields: object, message: string): void
}

export const silent: Log = { warn: () => undefined, debug: () => undefined }
