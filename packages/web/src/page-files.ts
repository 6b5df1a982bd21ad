import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, extname, join } from 'node:path'
import { NsboxError } from '@nsbox/errors'

/** A file of the page. */
export interface PageFile {
  /** Its media type, with the character set of text. */
  readonly type: string
  readonly body: Uint8Array
  /** An entity tag (RFC 9110 §8.8.3), in its quotes, which changes with the body. */
  readonly etag: string
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
}

/**
 * All files of the page by the names that it asks for them: `index.html`, and those that `index.html` leads to, whose
 * names change with their contents.
 *
 * @throws `failed_precondition` if the package has not been built
 */
export async function pageFiles(): Promise<ReadonlyMap<string, PageFile>> {
  // This code may have been bundled into another package's.
  const manifest = createRequire(import.meta.url).resolve('@nsbox/web/package.json')
  const directory = join(dirname(manifest), 'dist', 'page')
  const names = await readNames(join(directory, 'files.json'))
  const files = names.map(async (name): Promise<[string, PageFile]> => {
    const body = await readFile(join(directory, name))
    const etag = `"${createHash('sha256').update(body).digest('base64url')}"`
    return [name, { type: types[extname(name)] ?? 'application/octet-stream', body, etag }]
  })
  return new Map(await Promise.all(files))
}

async function readNames(list: string): Promise<string[]> {
  try {
    return JSON.parse(await readFile(list, 'utf8'))
  } catch (cause) {
    throw new NsboxError('failed_precondition', `the page has not been built: ${list} cannot be read`, {
      cause,
    })
  }
}
