import { expect, it } from 'vitest'
import { printableOutput } from './printable-output.ts'

it('E13 a terminal obeys nothing in a log, wherever its bytes are cut', async () => {
  const log = Buffer.from('é\r\n\u001b]0;title\u0007\ttab\rover\u202e\r\n€ \u009b2J\r')
  for (let size = 1; size <= log.length; size++) {
    let shown = ''
    for await (const text of printableOutput(pieces(log, size))) shown += text
    expect(shown).toBe('é\n\\u001b]0;title\\u0007\ttab\\u000dover\\u202e\n€ \\u009b2J\\u000d')
  }
})

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}
