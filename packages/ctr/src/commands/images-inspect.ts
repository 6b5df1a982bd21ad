import { Command } from 'commander'
import { withSession } from '../command-action.ts'
import { imageTree } from '../image-tree.ts'
import { writeOutput } from '../write-output.ts'

/** `images inspect <image>` */
export function imagesInspectCommand(): Command {
  return new Command('inspect')
    .alias('i')
    .description('show an image as a tree of indexes, manifests, configs and layers')
    .argument('<image>')
    .option('--content', 'show labels of its blobs, and JSON documents in full')
    .action(
      withSession(async ({ client, signal }, { content = false }: { content?: boolean }, name: string) => {
        const image = await client.images.get(name, { signal })
        await writeOutput(encoded(imageTree(client.content, image, { documents: content, signal })))
      }),
    )
}

async function* encoded(lines: AsyncIterable<string>): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const line of lines) yield Buffer.from(`${line}\n`)
}
