import { readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundleSources } from './bundle-sources.ts'
import { fencedBlocks } from './fenced-blocks.ts'
import { runOrThrow } from './run.ts'
import { tempDir } from './temp-dir.ts'

/**
 * Executes the first `ts` block of a package's README against the package's sources, in a process of its own; rejects
 * with its output unless it ends with exit code 0. If the next block is `text`, that must be the output.
 *
 * @param readme the file's location: `new URL('../README.md', import.meta.url)`
 * @param timeout milliseconds
 * @param section the second-level heading after which the block is looked for; the beginning by default
 */
export async function readmeExample(
  readme: URL,
  { timeout = 60_000, section }: { timeout?: number; section?: string } = {},
): Promise<void> {
  const path = fileURLToPath(readme)
  const text = await readFile(path, 'utf8')
  const start = section === undefined ? 0 : `\n${text}`.indexOf(`\n## ${section}\n`)
  if (start === -1) throw new Error(`${path} has no section ${section}`)
  const blocks = fencedBlocks(text.slice(start))
  const first = blocks.findIndex(({ language }) => language === 'ts')
  if (first === -1) throw new Error(`${path} has no example`)
  const next = blocks[first + 1]
  await using directory = await tempDir('nsbox-readme')
  const program = await bundleSources(blocks[first]!.text, dirname(path), directory.path)
  const { stdout } = await runOrThrow(process.execPath, [program], { timeout, cwd: dirname(path) })
  if (next?.language === 'text' && stdout !== next.text)
    throw new Error(`${path} promises\n${next.text}but its example prints\n${stdout}`)
}
