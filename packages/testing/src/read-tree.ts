import type { TreeEntry } from './compare-trees.ts'
import { runOrThrow } from './run.ts'

export interface ReadTreeOptions {
  /** Names to leave out, relative to the root; none by default. */
  readonly except?: readonly string[]
}

/**
 * Reads a whole tree. Names are relative to the root, which is `.`, with one character per byte, since they need not be
 * UTF-8. A child process reads it, so that two trees use two processors: Debian's Python, which, unlike Node, can read
 * extended attributes, and shares nothing with the code under test. Files are hashed piece by piece.
 */
export async function readTree(
  root: string,
  options: ReadTreeOptions = {},
): Promise<ReadonlyMap<string, TreeEntry>> {
  const except = (options.except ?? []).map((name) => Buffer.from(name, 'latin1').toString('hex'))
  const { stdout } = await runOrThrow('/usr/bin/python3', ['-c', script, root, ...except], {
    timeout: 120_000,
  })
  const entries = stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as ReadEntry)
  const groups = new Map<string, string[]>()
  for (const { name, inode } of entries) {
    if (inode === undefined) continue
    const group = groups.get(inode)
    if (group === undefined) groups.set(inode, [name])
    else group.push(name)
  }
  return new Map(
    entries.map(({ name, inode, ...entry }) => {
      // An overlay also counts hidden names.
      const names = inode === undefined ? [] : (groups.get(inode) ?? [])
      return [name, names.length > 1 ? { ...entry, links: names.join(' ') } : entry]
    }),
  )
}

interface ReadEntry extends Omit<TreeEntry, 'links'> {
  readonly name: string
  /** Of files with several names. */
  readonly inode?: string
}

const script = `
import base64, hashlib, json, os, stat, sys

kinds = [(stat.S_ISREG, 'file'), (stat.S_ISDIR, 'directory'), (stat.S_ISLNK, 'symlink'),
         (stat.S_ISCHR, 'character'), (stat.S_ISBLK, 'block'), (stat.S_ISFIFO, 'fifo'), (stat.S_ISSOCK, 'socket')]
root = os.fsencode(sys.argv[1])
skipped = {bytes.fromhex(name) for name in sys.argv[2:]}

def digest(path):
    content = hashlib.sha256()
    with open(path, 'rb', buffering=0) as file:
        while piece := file.read(1 << 20):
            content.update(piece)
    return content.hexdigest()

def show(path, name):
    s = os.lstat(path)
    kind = next(kind for test, kind in kinds if test(s.st_mode))
    entry = {'name': name.decode('latin1'), 'type': kind, 'mode': '%o' % stat.S_IMODE(s.st_mode), 'uid': s.st_uid,
             'gid': s.st_gid, 'mtime': str(s.st_mtime_ns)}
    if kind == 'file':
        entry.update(size=s.st_size, content=digest(path))
    if kind == 'symlink':
        entry['target'] = os.readlink(path).decode('latin1')
    if kind in ('character', 'block'):
        entry['device'] = str(s.st_rdev)
    if s.st_nlink > 1 and kind != 'directory':
        entry['inode'] = '%d:%d' % (s.st_dev, s.st_ino)
    attributes = sorted(os.listxattr(path, follow_symlinks=False))
    if attributes:
        value = lambda attribute: os.getxattr(path, attribute, follow_symlinks=False)
        entry['xattrs'] = ','.join(a + '=' + base64.b64encode(value(a)).decode() for a in attributes)
    print(json.dumps(entry))
    return kind == 'directory'

def walk(path, name):
    if name in skipped or not show(path, name):
        return
    for child in sorted(os.listdir(path)):
        walk(path + b'/' + child, child if name == b'.' else name + b'/' + child)

sys.setrecursionlimit(10000)
walk(root, b'.')
`
