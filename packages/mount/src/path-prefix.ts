/** Whether an absolute path is `directory` or lies below it; `/a/bc` does not lie below `/a/b`. */
export function isAtOrBelow(path: string, directory: string): boolean {
  const base = directory.endsWith('/') ? directory.slice(0, -1) : directory
  return path.startsWith(base) && (path.length === base.length || path[base.length] === '/')
}
