import type { ServerResponse } from 'node:http'
import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'

/** What a browser without a session is told; it does not say whether a link was wrong, used or too old. */
const unknownBrowser = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>nsbox</title>
<p>This browser has not opened the page, or the server has been started again since then.</p>
<p>To open it, run <code>ctr web</code> on the machine of the server. Each link works once, within a minute.</p>
</html>
`

/**
 * Refuses a request before any of its body is read, and closes the connection. Without a reason, tells how to open the
 * page.
 */
export function refuse(response: ServerResponse, status: number, reason?: string): void {
  const [type, text] = reason === undefined ? ['html', unknownBrowser] : ['plain', `${reason}\n`]
  response.writeHead(status, { 'content-type': `text/${type}; charset=utf-8`, connection: 'close' })
  response.end(text)
}

/** Refuses a request for a WebSocket, which has no response object. */
export function refuseUpgrade(
  socket: Duplex,
  status: number,
  reason = 'run `ctr web` to open the page',
): void {
  const body = `${reason}\n`
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'content-type: text/plain; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ]
  socket.on('error', () => socket.destroy())
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy())
}
