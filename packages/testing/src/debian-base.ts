import { createHash, randomUUID } from 'node:crypto'
import { access, mkdir, readFile, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { runOrThrow } from './run.ts'
import { tempDir } from './temp-dir.ts'

/** Makes the archive `$2` of a minimal system of the suite `$3` from the mirror `$4`, in the directory `$1`. */
const recipe = `
set -e
debootstrap --variant=minbase "$3" "$1" "$4"
cd "$1"
rm -rf var/cache/apt/archives/*.deb var/lib/apt/lists/* var/log/* var/cache/ldconfig/aux-cache dev/* proc/* sys/*
tar --create --sort=name --format=pax --numeric-owner --xattrs '--xattrs-include=*' \\
  --pax-option=delete=atime,delete=ctime,exthdr.name=%d/PaxHeaders/%f --mtime=@1735689600 \
--clamp-mtime . | gzip -n > "$2"
`

/**
 * The path of a gzipped archive with a minimal Debian system of this machine's release, made by its `debootstrap`. That
 * takes a minute and a Debian mirror, so the archive is cached in the user's cache directory, with a name that depends
 * on how it was made. Needs root.
 */
export async function debianBase(): Promise<string> {
  const suite = /^VERSION_CODENAME=(\w+)$/m.exec(await readFile('/etc/os-release', 'utf8'))?.[1]
  if (suite === undefined) throw new Error('/etc/os-release names no release of Debian')
  const key = createHash('sha256').update(`${process.arch} ${recipe}`).digest('hex').slice(0, 16)
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'nsbox-testing')
  const archive = join(cache, `debian-${suite}-${key}.tar.gz`)
  if (await exists(archive)) return archive
  await mkdir(cache, { recursive: true })
  await using scratch = await tempDir('nsbox-debian')
  const unfinished = `${archive}.${randomUUID()}`
  try {
    const args = [join(scratch.path, 'root'), unfinished, suite, await mirror()]
    await runOrThrow('sh', ['-c', recipe, 'sh', ...args], { timeout: 600_000 })
    await rename(unfinished, archive)
  } finally {
    await rm(unfinished, { force: true })
  }
  return archive
}

/** The mirror of this machine's packages. */
async function mirror(): Promise<string> {
  const { stdout } = await runOrThrow('apt-get', ['indextargets', '--format=$(SITE)', 'Created-By: Packages'])
  const found = stdout.split('\n').find((site) => /^https?:/.test(site))
  return found ?? 'http://deb.debian.org/debian'
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path)
    return true
  } catch {
    return false
  }
}
