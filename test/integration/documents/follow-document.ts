import { readDocument } from './document.ts'
import type { Reader } from './reader.ts'

/** The line that ends a file's content. */
const end = 'END_OF_FILE'

/**
 * Does what a document says, in the order of its blocks.
 *
 * @param path from the root of the checkout
 */
export async function followDocument(reader: Reader, path: string): Promise<void> {
  for (const step of (await readDocument(path)).steps) {
    const shell = await reader.shell(step.user)
    if (step.kind === 'commands') await shell.run(step.text, step.output)
    else await shell.run(`cat > ${step.path} <<'${end}'\n${step.text}${end}\n`, undefined)
  }
}
