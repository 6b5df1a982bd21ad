import { createHash } from 'node:crypto'
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { runOrThrow } from './run.ts'

/** What one entry of a tree is, as text: two trees are equal when all of it is. */
export interface TreeEntry {
  readonly type: string
  readonly mode: string
  readonly uid: number
  readonly gid: number
  /** Bytes; of files only. */
  readonly size?: number
  /** Nanoseconds since 1970. */
  readonly mtime: string
  readonly target?: string
  readonly device?: string
  /** SHA-256 of a file's content. */
  readonly content?: string
  /** All names of the same file, where it has several. */
  readonly links?: string
  /** Extended attributes, each `name=base64`. */
  readonly xattrs?: string
}

export interface ReadTreeOptions {
  /** Names to leave out, relative to the root; none by default. */
  readonly except?: readonly string[]
}

/** Fields of entries that differ, each `name: field: A, B`; a name that one tree lacks is `name: only in A`. */
export function compareTrees(
  a: ReadonlyMap<string, TreeEntry>,
  b: ReadonlyMap<string, TreeEntry>,
  options: { readonly ignore?: (name: string, field: keyof TreeEntry) => boolean } = {},
): string[] {
  const differences: string[] = []
  for (const name of [...new Set([...a.keys(), ...b.keys()])].sort()) {
    const [left, right] = [a.get(name), b.get(name)]
    if (left === undefined || right === undefined) {
      differences.push(`${name}: only in ${left === undefined ? 'the second' : 'the first'}`)
      continue
    }
    for (const field of new Set([...Object.keys(left), ...Object.keys(right)]) as Set<keyof TreeEntry>)
      if (left[field] !== right[field] && !options.ignore?.(name, field))
        differences.push(`${name}: ${field}: ${left[field]}, ${right[field]}`)
  }
  return differences
}

/**
 * Reads a whole tree. Names are relative to the root, which is `.`, with one character per byte, since they need not
 * be UTF-8. Extended attributes are read by Python.
 */
export async function readTree(
  root: string,
  options: ReadTreeOptions = {},
): Promise<ReadonlyMap<string, TreeEntry>> {
  const except = new Set(options.except)
  const names: string[] = []
  const walk = (name: string) => {
    if (except.has(name)) return
    names.push(name)
    if (!lstatSync(pathOf(root, name)).isDirectory()) return
    for (const child of readdirSync(pathOf(root, name), { encoding: 'latin1' }).sort())
      walk(name === '.' ? child : `${name}/${child}`)
  }
  walk('.')
  const xattrs = await readXattrs(root, [...except])
  const groups = new Map<string, string[]>()
  for (const name of names) {
    const { dev, ino, nlink } = lstatSync(pathOf(root, name), { bigint: true })
    if (nlink < 2n || lstatSync(pathOf(root, name)).isDirectory()) continue
    const key = `${dev}:${ino}`
    groups.set(key, [...(groups.get(key) ?? []), name])
  }
  return new Map(names.map((name) => [name, readEntry(root, name, xattrs, groups)]))
}

function readEntry(
  root: string,
  name: string,
  xattrs: ReadonlyMap<string, string>,
  groups: ReadonlyMap<string, readonly string[]>,
): TreeEntry {
  const path = pathOf(root, name)
  const stat = lstatSync(path, { bigint: true })
  const type = typeOf(stat)
  // An overlay counts names that it does not show.
  const names = groups.get(`${stat.dev}:${stat.ino}`) ?? []
  const links = names.length > 1 ? names.join(' ') : undefined
  const attributes = xattrs.get(name)
  return {
    type,
    mode: (Number(stat.mode) & 0o7777).toString(8),
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    mtime: String(stat.mtimeNs),
    ...(type === 'file'
      ? { size: Number(stat.size), content: createHash('sha256').update(readFileSync(path)).digest('hex') }
      : {}),
    ...(type === 'symlink' ? { target: readlinkSync(path, 'latin1') } : {}),
    ...(type === 'character' || type === 'block' ? { device: String(stat.rdev) } : {}),
    ...(links === undefined ? {} : { links }),
    ...(attributes === undefined ? {} : { xattrs: attributes }),
  }
}

function typeOf(stat: import('node:fs').BigIntStats): string {
  if (stat.isFile()) return 'file'
  if (stat.isDirectory()) return 'directory'
  if (stat.isSymbolicLink()) return 'symlink'
  if (stat.isCharacterDevice()) return 'character'
  if (stat.isBlockDevice()) return 'block'
  return stat.isFIFO() ? 'fifo' : 'socket'
}

function pathOf(root: string, name: string): Buffer {
  return name === '.'
    ? Buffer.from(root)
    : Buffer.concat([Buffer.from(`${root}/`), Buffer.from(name, 'latin1')])
}

// Node has no call for extended attributes, and this package none of the project's own, which it is there to test.
const script = `
import os, sys, base64
root = os.fsencode(sys.argv[1])
skipped = [os.path.join(root, os.fsencode(name)) for name in sys.argv[2:]]
def show(path):
    names = sorted(os.listxattr(path, follow_symlinks=False))
    if names:
        values = [n + '=' + base64.b64encode(os.getxattr(path, n, follow_symlinks=False)).decode() for n in names]
        name = os.path.relpath(path, root)
        sys.stdout.write(base64.b64encode(name).decode() + ' ' + ','.join(values) + '\\n')
show(root)
for directory, directories, files in os.walk(root):
    directories[:] = [name for name in directories if os.path.join(directory, name) not in skipped]
    for name in directories + files:
        show(os.path.join(directory, name))
`

async function readXattrs(root: string, except: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const { stdout } = await runOrThrow('python3', ['-c', script, root, ...except])
  return new Map(
    stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const space = line.indexOf(' ')
        return [Buffer.from(line.slice(0, space), 'base64').toString('latin1'), line.slice(space + 1)]
      }),
  )
}
