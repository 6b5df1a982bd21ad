import type { ServerResponse } from 'node:http'

/**
 * Leads to the page itself, without the token in its address. It is a document and no redirection: a browser that comes
 * from elsewhere sends a cookie that is `SameSite=Strict` only with what this site's own documents ask for.
 */
const opened = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="refresh" content="0;url=/">
<title>nsbox</title>
<p><a href="/">The page</a></p>
</html>
`

/** Answers the request that has used a link, with the cookie of its session. */
export function sendOpened(response: ServerResponse, cookie: string): void {
  response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'set-cookie': cookie }).end(opened)
}
