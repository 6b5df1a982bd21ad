/** The name of a listener's cookie. Cookies do not know ports, so that of another listener must have another name. */
export function cookieName(port: number): string {
  return `nsbox-${port}`
}

/** The `Set-Cookie` header of a session, which the browser forgets at its own end. */
export function sessionCookie(port: number, secret: string): string {
  return `${cookieName(port)}=${secret}; HttpOnly; SameSite=Strict; Path=/`
}

/** The values of a cookie in a `Cookie` header: anyone on the same host may have set one of the same name as well. */
export function cookieValues(header: string | undefined, name: string): string[] {
  const pairs = (header ?? '').split(';').map((pair) => pair.trim())
  return pairs.filter((pair) => pair.startsWith(`${name}=`)).map((pair) => pair.slice(name.length + 1))
}
