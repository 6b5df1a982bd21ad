import { expect, test } from 'vitest'
import { shellWords } from './shell-words.ts'

test.each([
  ['ctr  a\tb', ['ctr', 'a', 'b']],
  ['ctr ', ['ctr', '']],
  [String.raw`ctr 'a b'c "d \"e\" \x" f\ g`, ['ctr', 'a bc', String.raw`d "e" \x`, 'f g']],
  [`ctr 'open`, ['ctr', 'open']],
  ['ctr "open x', ['ctr', 'open x']],
  ['ctr a\\', ['ctr', 'a']],
])('the words of %j are %j', (line, words) => expect(shellWords(line)).toEqual(words))
