import { content, within } from '../connection/calls.ts'

/** Most bytes of a document that is read: what registries take as a manifest. */
const mostBytes = 4 * 1024 * 1024

/** What has been read, which never changes: the digest is of the bytes. */
const known = new Map<string, unknown>()
const mostKnown = 1_000

/** Reads a JSON document of the content store. @throws as `Content.Read`; if it is too long, or is no JSON */
export async function readJson(namespace: string, digest: string, signal: AbortSignal): Promise<unknown> {
  if (known.has(digest)) return known.get(digest)
  const parts: Uint8Array<ArrayBuffer>[] = []
  let size = 0
  for await (const { data } of content.read({ digest }, within(namespace, { signal }))) {
    size += data.length
    if (size > mostBytes) throw new Error(`${digest} is longer than 4 MiB`)
    parts.push(data as Uint8Array<ArrayBuffer>)
  }
  const document = JSON.parse(await new Blob(parts).text())
  if (known.size >= mostKnown) known.clear()
  known.set(digest, document)
  return document
}
