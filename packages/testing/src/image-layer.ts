import { readFile } from 'node:fs/promises'
import { runOrThrow } from './run.ts'
import { seededBytes } from './seeded-bytes.ts'
import type { TarEntry } from './tar.ts'

/** The content of a layer of a test image. */
export interface ImageLayer {
  readonly entries: readonly TarEntry[]
  /** `gzip` by default; `none` is faster for big layers. */
  readonly compression?: 'gzip' | 'none'
}

/** A layer whose blob is a gzipped archive that exists. */
export interface ArchiveLayer {
  /** Its path. */
  readonly archive: string
}

/** A layer with these files, from names to contents, and the directories above them. */
export function filesLayer(files: Readonly<Record<string, string | Uint8Array>>): ImageLayer {
  const directories = new Set(Object.keys(files).flatMap(parents))
  return {
    entries: [
      ...[...directories].sort().map((name): TarEntry => ({ type: 'directory', name })),
      ...Object.entries(files).map(([name, content]): TarEntry => ({ name, content })),
    ],
  }
}

/** A layer with one file, `data/SEED`, of bytes that do not compress. */
export function randomLayer(
  seed: string | number,
  size: number,
  compression: 'gzip' | 'none' = 'gzip',
): ImageLayer {
  const chunks = { [Symbol.iterator]: () => seededBytes(seed, size) }
  return {
    compression,
    entries: [
      { type: 'directory', name: 'data' },
      { name: `data/${seed}`, content: { size, chunks } },
    ],
  }
}

/** A layer that can be run: Debian's static busybox, with a link for each of its commands, and an account for root. */
export async function busyboxLayer(): Promise<ImageLayer> {
  const [program, { stdout }] = await Promise.all([
    readFile('/usr/bin/busybox'),
    runOrThrow('/usr/bin/busybox', ['--list']),
  ])
  const commands = stdout.split('\n').filter((name) => name !== '' && name !== 'busybox')
  return {
    entries: [
      ...['bin', 'dev', 'etc', 'proc', 'root', 'sys'].map((name): TarEntry => ({ type: 'directory', name })),
      { type: 'directory', name: 'tmp', mode: 0o1777 },
      { name: 'bin/busybox', mode: 0o755, content: program },
      ...commands.map((name): TarEntry => ({ type: 'symlink', name: `bin/${name}`, target: 'busybox' })),
      { name: 'etc/passwd', content: 'root:x:0:0:root:/root:/bin/sh\n' },
      { name: 'etc/group', content: 'root:x:0:\n' },
    ],
  }
}

function parents(name: string): string[] {
  const parts = name.split('/').slice(0, -1)
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'))
}
