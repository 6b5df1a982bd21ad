import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

const file = join(import.meta.dirname, '../../../docs/compatibility.md')

/**
 * The differences that `docs/compatibility.md` tells: by command, what `lineDifference` gives of containerd's
 * transcript and ours. They are in blocks of Markdown with the language `diff`, each command behind a `$`; a line that
 * begins with two blanks goes on with the one before.
 */
export async function documentedDifferences(): Promise<ReadonlyMap<string, readonly string[]>> {
  const differences = new Map<string, string[]>()
  for (const [, block] of (await readFile(file, 'utf8')).matchAll(/^```diff\n(.*?)^```$/gms)) {
    let lines: string[] | undefined
    for (const line of block!
      .trimEnd()
      .replaceAll(/\n {2,}/g, ' ')
      .split('\n')) {
      if (line.startsWith('$ ')) {
        const command = line.slice(2)
        if (differences.has(command)) throw new Error(`docs/compatibility.md has ${command} twice`)
        lines = []
        differences.set(command, lines)
      } else if (lines !== undefined && /^[-+]/.test(line)) lines.push(line)
      else throw new Error(`docs/compatibility.md: neither a command nor what differs: ${line}`)
    }
  }
  return differences
}
