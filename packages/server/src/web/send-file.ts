import type { IncomingMessage, ServerResponse } from 'node:http'
import type { PageFile } from './page-files.ts'
import { refuse } from './refusals.ts'

/** Milliseconds that a client may take nothing of a file. */
const patience = 30_000

/** Answers with a file that is in memory; a path of the request never becomes one of the host. */
export function sendFile(request: IncomingMessage, response: ServerResponse, file: PageFile): void {
  const { type, body, etag } = file
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD')
    refuse(response, 405, 'files can only be read')
    return
  }
  // Kept, but asked for each time, so that a new server's page is seen at once.
  response.setHeader('cache-control', 'private, no-cache')
  response.setHeader('etag', etag)
  if (request.headers['if-none-match'] === etag) {
    response.writeHead(304).end()
    return
  }
  response.setTimeout(patience, () => response.destroy())
  response.writeHead(200, { 'content-type': type, 'content-length': body.length })
  response.end(request.method === 'HEAD' ? undefined : body)
}
