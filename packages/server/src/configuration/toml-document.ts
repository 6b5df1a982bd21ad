import { NsboxError } from '@nsbox/errors'
import { parse, TomlError } from 'smol-toml'

/** Reads a document in TOML; `what` names it in errors. @throws `invalid_argument` */
export function parseToml(text: string, what: string): Readonly<Record<string, unknown>> {
  try {
    return parse(text)
  } catch (cause) {
    throw new NsboxError('invalid_argument', `${what}: ${reason(cause)}`, { cause })
  }
}

/** The parser's message continues with an excerpt of the document. */
function reason(error: unknown): string {
  if (!(error instanceof TomlError)) return String(error)
  return `line ${error.line}, column ${error.column}: ${error.message.split('\n', 1)[0]}`
}
