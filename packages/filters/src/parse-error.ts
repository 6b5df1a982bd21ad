import { NsboxError } from '@nsbox/errors'

const shown = 200

/**
 * The error for a filter that is wrong at `position`, in the form that clients know (docs/behaviour.md §2):
 * `filters: parse error: [before >|c|< after]: why`, without the marker at the end of the text. Long texts are cut.
 */
export function parseError(text: string, position: number, why: string): NsboxError {
  const before = text.slice(Math.max(0, position - shown), position)
  const head = `${position > shown ? '…' : ''}${before}`
  if (position >= text.length)
    return new NsboxError('invalid_argument', `filters: parse error: [${head}]: ${why}`)
  const char = String.fromCodePoint(text.codePointAt(position) as number)
  const rest = text.slice(position + char.length)
  const after = rest.length > shown ? `${rest.slice(0, shown)}…` : rest
  return new NsboxError('invalid_argument', `filters: parse error: [${head} >|${char}|< ${after}]: ${why}`)
}
