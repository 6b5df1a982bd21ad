import { printableLines } from '@nsbox/errors'

/**
 * The text of bytes of others, for a terminal, which obeys nothing in it (docs/threat-model.md E13). Characters that
 * come in pieces are put together, and a line may end as at a terminal, with a carriage return.
 */
export async function* printableOutput(source: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let held = ''
  for await (const chunk of source) {
    const text = held + decoder.decode(chunk, { stream: true })
    // A line end may follow.
    held = text.endsWith('\r') ? '\r' : ''
    yield printableLines(text.slice(0, text.length - held.length).replaceAll('\r\n', '\n'))
  }
  yield printableLines(held + decoder.decode())
}
