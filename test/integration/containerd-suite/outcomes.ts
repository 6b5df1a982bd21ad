/** What came of a test of a suite, or of a part of one. */
export interface Outcome {
  /** The name, with those that it is a part of before it, and `/` between. */
  readonly test: string
  readonly result: 'PASS' | 'FAIL' | 'SKIP'
  readonly seconds: number
  /** What it has told. */
  readonly said: readonly string[]
}

/** Begins a line of the program itself; what a test has written without an end of line may stand before it. */
const mark = '\x16'

/** Tells them from the output of a Go program of tests with `-test.v=test2json`. */
export async function* outcomes(lines: AsyncIterable<string>): AsyncGenerator<Outcome, void, undefined> {
  const said = new Map<string, string[]>()
  let current = ''
  for await (const line of lines) {
    const [words, ...others] = line.split(mark)
    if (words !== '') said.set(current, [...(said.get(current) ?? []), words!])
    const notice = others.at(-1) ?? ''
    current = /^=== (?:RUN|NAME|CONT) +(\S+)/.exec(notice)?.[1] ?? current
    const ended = /^--- (PASS|FAIL|SKIP): (\S+) \(([\d.]+)s\)$/.exec(notice)
    if (ended === null) continue
    const [, result, test, seconds] = ended
    yield {
      test: test!,
      result: result as Outcome['result'],
      seconds: Number(seconds),
      said: said.get(test!) ?? [],
    }
    said.delete(test!)
  }
}
