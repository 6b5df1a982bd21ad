/**
 * The whole name of an image as people write it: `alpine` is `docker.io/library/alpine:latest`.
 *
 * @returns undefined for what is no reference
 */
export function wholeReference(text: string): string | undefined {
  const name = text.trim()
  if (!/^[\w.:/@+-]+$/.test(name)) return undefined
  const [first = '', ...rest] = name.split('/')
  const hasHost = rest.length > 0 && (/[.:]/.test(first) || first === 'localhost')
  const path = hasHost ? name : rest.length > 0 ? `docker.io/${name}` : `docker.io/library/${name}`
  const last = path.slice(path.lastIndexOf('/') + 1)
  return last.includes(':') || path.includes('@') ? path : `${path}:latest`
}
