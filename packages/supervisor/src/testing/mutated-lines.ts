import { mutatedBytes, mutatedJson, shown } from '@nsbox/testing/fuzz'
import fc from 'fast-check'

/** A message as it is sent. */
export const line = (message: unknown) => `${JSON.stringify(message)}\n`

/** Nearly correct lines: of changed messages, and messages with changed text. */
export function mutatedLines(
  messages: readonly object[],
  { atLeast = 1, dictionary }: { readonly atLeast?: number; readonly dictionary: readonly string[] },
): fc.Arbitrary<Buffer> {
  return fc.oneof(
    fc
      .array(mutatedJson(messages, 2), { minLength: atLeast, maxLength: 5 })
      .map((all) => shown(Buffer.from(all.map(line).join('')))),
    mutatedBytes([messages.map(line).join(''), ...messages.map(line)], { dictionary }),
  )
}
