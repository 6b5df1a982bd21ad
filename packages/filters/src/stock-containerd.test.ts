import { readFileSync } from 'node:fs'
import { isNsboxError } from '@nsbox/errors'
import { expect, test } from 'vitest'
import { type Adaptor, labelField } from './adaptor.ts'
import { parseFilter } from './filter.ts'

interface Facts {
  readonly images: Record<string, Record<string, string>>
  readonly cases: readonly { filter: string; matches?: string[]; error?: string }[]
}

/** What `ctr images ls -q FILTER` of containerd 1.7.24 printed for these images. */
const facts: Facts = JSON.parse(
  readFileSync(new URL('../testdata/containerd-1.7.24.json', import.meta.url), 'utf8'),
)

/** RE2JS refuses one name for two groups, which Go's package takes. Groups mean nothing to a filter. */
const differing = 'name~="(?P<n>r)(?P<n>e)"'
const cases = facts.cases.filter(({ filter }) => filter !== differing)

test('takes a regular expression with one name for two groups for none', () => {
  expect(outcome(differing)).toEqual({ matches: [] })
})

test.each(cases)('does as containerd 1.7.24 does for $filter', ({ filter, matches, error }) => {
  expect(outcome(filter)).toEqual(matches === undefined ? { error } : { matches })
})

function outcome(text: string): { matches: string[] } | { error: string } {
  try {
    const filter = parseFilter(text)
    const images = Object.entries(facts.images)
    const names = images.filter(([name, labels]) => filter.match(image(name, labels))).map(([name]) => name)
    return { matches: names.sort() }
  } catch (error) {
    if (!isNsboxError(error) || error.code !== 'invalid_argument') throw error
    return { error: inBytes(error.context) }
  }
}

const image = (name: string, labels: Record<string, string>): Adaptor => ({
  field([first, ...rest]) {
    switch (first) {
      case 'name':
        return name
      case 'target':
        return rest[0] === 'digest' || rest[0] === 'mediatype' ? 'something' : undefined
      case 'labels':
        return labelField(labels, rest)
      default:
        return undefined
    }
  },
})

/** containerd marks one byte, which breaks a longer character into as many replacement characters as it has bytes. */
function inBytes(message: string): string {
  return message.replace(/ >\|([^\0-\x7f])\|< /u, (_, char: string) => {
    return ` >|\ufffd|< ${'\ufffd'.repeat(Buffer.byteLength(char) - 1)}`
  })
}
