/** What a transcript has of the host and the moment, by what to write instead. */
const passing: readonly [RegExp, string | ((found: string) => string)][] = [
  // Escape sequences of terminals.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: an escape sequence begins with one.
  [/\u001b\[[0-9;?]*[A-Za-z]/g, ''],
  // And what `script` makes of the end of its input.
  [/[\r\0]|\^@/g, ''],
  [/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z| \+0000( UTC)?)?/g, 'TIME'],
  [/[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT/g, 'TIME'],
  [/\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, 'UUID'],
  [/\b(Less than a second|About (a minute|an hour)|\d+ (second|minute|hour)s?)\b/g, 'AGE'],
  [/\b\d+(\.\d+)?(ms|µs|s)\b/g, 'DURATION'],
  [/\/tmp\/containerd-mount\d+/g, '/tmp/containerd-mount'],
  // Of a table, whose columns are as wide as what is in them.
  [/[ \t]+/g, ' '],
  [/ $/gm, ''],
  // Stock `ctr` prints labels in any order.
  [/^[^\s=,]+=[^\s,]*(,[^\s=,]+=[^\s,]*)+$/gm, (labels) => labels.split(',').sort().join(',')],
  // What it says when it has everything before it has looked.
  [/^time=.*"(failed to get content info|active check failed)" error="context canceled"\n/gm, ''],
  [/^elapsed: .*\n/gm, ''],
]

/** A line of progress; how far what is when it is drawn nobody knows. */
const progress = /^(\S+): [a-z]+ \|[-+]*\|.*$/

/**
 * Makes transcripts of two daemons comparable: what is returned is for the outputs of one transcript, in their order.
 *
 * @param names what is called differently for each daemon, by what to write instead; longer ones first
 */
export function normalising(names: ReadonlyMap<string, string>): (text: string) => string {
  const snapshots: string[] = []
  const numbered = (_: string, number: string) => {
    if (!snapshots.includes(number)) snapshots.push(number)
    return `/snapshots/${snapshots.indexOf(number) + 1}/`
  }
  return (text) => {
    let result = text
    for (const [name, instead] of names) result = result.replaceAll(name, instead)
    // The directories of snapshots, in the order in which they are seen.
    result = result.replace(/\/snapshots\/(\d+)\//g, numbered)
    for (const [pattern, instead] of passing) {
      result =
        typeof instead === 'string' ? result.replace(pattern, instead) : result.replace(pattern, instead)
    }
    return withoutStates(result.split('\n')).join('\n')
  }
}

/** Replaces screens of progress by the names that are on them. */
function withoutStates(lines: readonly string[]): string[] {
  const names = new Set(lines.flatMap((line) => progress.exec(line)?.[1] ?? []))
  return [
    ...[...names].sort().map((name) => `progress of ${name}`),
    ...lines.filter((line) => !progress.test(line)),
  ]
}
