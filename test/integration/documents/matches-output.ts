/**
 * Whether a program has printed what a document shows. There `…` stands for what differs each time within a line, and a
 * line of it alone for any number of lines. How many blanks are between columns does not count, nor do those at the
 * ends of lines, and empty lines at the end.
 */
export function matchesOutput(printed: string, shown: string): boolean {
  const lines = trimmed(shown).map((line) =>
    line === '…' ? '(?:.*\n)*?' : `${line.split('…').map(escaped).join('.*?')}\n`,
  )
  return new RegExp(`^${lines.join('')}$`).test(
    trimmed(printed)
      .map((line) => `${line}\n`)
      .join(''),
  )
}

function trimmed(text: string): string[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => line.trimEnd().replaceAll(/\t+| {2,}/g, '  '))
}

const escaped = (text: string) => text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')
