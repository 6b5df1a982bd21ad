import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readBlob } from '@nsbox/core/content'
import { type Digest, digestOf, parseDigest } from '@nsbox/oci'
import { Command } from 'commander'
import { withSession } from '../command-action.ts'
import { print } from '../print.ts'
import { runEditor } from '../run-editor.ts'
import { ingest } from './content-ingest.ts'

/** The most bytes that are handed to an editor. */
const editLimit = 64 * 1024 * 1024

/** `content edit <digest>` */
export function contentEditCommand(): Command {
  return new Command('edit')
    .description('edit a blob, store the result as a new blob and print its digest')
    .argument('<digest>')
    .option('--validate <media-type>', 'refuse a result that is not JSON of this media type')
    .option('--editor <command>', 'editor to run [$EDITOR]', process.env.EDITOR)
    .action(
      withSession(
        async ({ client, signal }, options: { validate?: string; editor?: string }, digest: string) => {
          const original = await client.content.info(parseDigest(digest), { signal })
          const bytes = await readBlob(client.content, original, { limit: editLimit, signal })
          const edited = await edit(bytes, options.editor ?? 'vi', signal)
          if (options.validate !== undefined) validate(edited, options.validate)
          const expected: Digest = digestOf(edited)
          await ingest(
            client.content,
            `edited-${expected}`,
            onePiece(edited),
            { size: edited.byteLength, digest: expected },
            signal,
          )
          print(expected)
        },
      ),
    )
}

async function edit(bytes: Uint8Array, editor: string, signal: AbortSignal): Promise<Uint8Array> {
  const directory = await mkdtemp(join(tmpdir(), 'nsbox-edit-'))
  try {
    const path = join(directory, 'content')
    await writeFile(path, bytes, { mode: 0o600 })
    await runEditor(editor, path, { signal })
    return await readFile(path)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

function validate(bytes: Uint8Array, mediaType: string): void {
  let document: unknown
  try {
    document = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw new Error(`the result is not JSON: ${(cause as Error).message}`, { cause })
  }
  const actual = (document as { mediaType?: unknown } | null)?.mediaType
  if (actual !== undefined && actual !== mediaType) {
    throw new Error(`the result has media type ${JSON.stringify(actual)}, not ${JSON.stringify(mediaType)}`)
  }
}

async function* onePiece(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes
}
