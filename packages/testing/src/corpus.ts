import { join } from 'node:path'
import { debianBase } from './debian-base.ts'
import { type ArchiveLayer, busyboxLayer, type ImageLayer } from './image-layer.ts'
import { type BuiltImage, buildImage } from './image-layout.ts'
import { makeOddTree } from './odd-tree.ts'
import { runOrThrow } from './run.ts'
import type { TarEntry, TarFile } from './tar.ts'

/** Images like those that people use, each in a layout of its own. */
export interface Corpus {
  readonly busybox: BuiltImage
  /** One layer: a minimal Debian system. */
  readonly debian: BuiltImage
  /** Eight layers with entries of all kinds: more than 30,000 over that Debian system, or 3,500 over busybox. */
  readonly eight: BuiltImage
  /** Forty small layers over each other. */
  readonly forty: BuiltImage
}

/**
 * Builds the corpus in a directory, which must be empty. Needs what `debianBase` and `makeOddTree` need.
 *
 * @param options.small whether the image of eight layers is the small one; the other by default
 */
export async function buildCorpus(
  directory: string,
  { small = false }: { readonly small?: boolean } = {},
): Promise<Corpus> {
  const base: ArchiveLayer = { archive: await debianBase() }
  const odd = await oddLayer(directory)
  const at = (name: string) => join(directory, name)
  return {
    busybox: await buildImage(at('busybox'), { layers: [await busyboxLayer()] }),
    debian: await buildImage(at('debian'), { layers: [base] }),
    eight: await buildImage(at('eight'), {
      layers: [small ? await busyboxLayer() : base, ...documents(3, small ? 20 : 130), odd, ...changes],
    }),
    forty: await buildImage(at('forty'), { layers: fortyLayers(await busyboxLayer()) }),
  }
}

/**
 * Builds a small image in a directory, which must exist: busybox, one of every kind of file and of what a layer does to
 * those below it. Needs what `makeOddTree` needs.
 */
export async function buildOddImage(directory: string): Promise<BuiltImage> {
  const layers = [await busyboxLayer(), await oddLayer(directory), oddChanges]
  return buildImage(join(directory, 'layout'), { layers })
}

/** The odd tree in `opt/odd`, with what only GNU tar writes: extended headers, attributes, devices. */
async function oddLayer(directory: string): Promise<ArchiveLayer> {
  const archive = join(directory, 'odd.tar.gz')
  await makeOddTree(join(directory, 'odd'))
  const script = `
set -e
tar --create --sort=name --format=pax --numeric-owner --xattrs '--xattrs-include=*' \\
  --pax-option=delete=atime,delete=ctime,exthdr.name=%d/PaxHeaders/%f \\
  '--transform=s,^\\./,opt/odd/,S' . | gzip -n > "$1"`
  await runOrThrow('sh', ['-c', script, 'sh', archive], { cwd: join(directory, 'odd') })
  return { archive }
}

/** Layers with many small files, links among them, and owners, modes and times of all kinds. */
function documents(layers: number, groups: number): ImageLayer[] {
  return Array.from({ length: layers }, (_, layer) => ({
    entries: Array.from({ length: groups }, (_, group) => documentsOf(layer, group)).flat(),
  }))
}

function documentsOf(layer: number, group: number): TarEntry[] {
  const directory = `usr/share/doc/set-${layer}/päckage-${group}`
  const attributes = { uid: group * 11, gid: group * 13, mtime: 1_600_000_000 + group }
  const files = Array.from({ length: 98 }, (_, index): TarEntry => {
    const name = `${directory}/${index}`
    const mode = (at: number) => [0o644, 0o600, 0o755, 0o4755, 0o2711, 0o444][at % 6]!
    if (index % 20 === 19) return { type: 'symlink', name, target: `../päckage-${index}/0`, ...attributes }
    if (index % 20 === 18)
      return {
        ...attributes,
        type: 'hardlink',
        name,
        target: `${directory}/${index - 1}`,
        mode: mode(index - 1),
      }
    return { ...attributes, name, content: `${layer} ${group} ${index}\n`.repeat(index), mode: mode(index) }
  })
  return [
    { ...attributes, type: 'directory', name: directory, mode: group % 7 === 0 ? 0o2775 : 0o755 },
    ...files,
  ]
}

/** Another name of a file, as archivers write it: with the file's own attributes. */
const hardlink = (
  name: string,
  { content: _, type: __, name: target, ...attributes }: TarFile,
): TarEntry => ({
  ...attributes,
  type: 'hardlink',
  name,
  target,
})
const file = (name: string, content = name): TarFile => ({ name, content, mtime: 1_700_000_000 })
const directory = (name: string, mode = 0o755): TarEntry => ({
  type: 'directory',
  name,
  mode,
  mtime: 1_700_000_001,
})
const whiteout = (directory: string, name: string): TarEntry => ({
  name: `${directory}/.wh.${name}`,
  content: '',
})
const opaque = (directory: string): TarEntry => whiteout(directory, '.wh..opq')

/** Layers that change what those below them have. */
const changes: readonly ImageLayer[] = [
  {
    // Attributes of directories, kinds of entries, and files whose directories have no entry in the layer.
    entries: [
      directory('usr/share/doc/set-0', 0o700),
      directory('usr/share/doc/set-0/päckage-1', 0o1777),
      file('usr/share/doc/set-0/päckage-1/0', 'changed'),
      file('usr/share/doc/set-0/päckage-2', 'a file in place of a directory'),
      directory('usr/share/doc/set-0/päckage-3'),
      directory('usr/share/doc/set-0/päckage-3/5'),
      file('usr/share/doc/set-0/päckage-3/5/in-place-of-a-file'),
      { type: 'symlink', name: 'usr/share/doc/set-0/päckage-4', target: 'päckage-5' },
      { type: 'symlink', name: 'etc/hostname', target: '../opt/odd/etc/file' },
      file('usr/share/doc/set-1/päckage-8/implied/deep/file'),
      file('opt/odd/etc/more'),
      { ...file('usr/bin/apt', 'no program'), mode: 0o6755, uid: 77, gid: 88 },
    ],
  },
  {
    // Deletions: of single files, of directories, and of everything in a directory.
    entries: [
      whiteout('usr/share/doc/set-1', 'päckage-0'),
      whiteout('usr/share/doc/set-1/päckage-1', '3'),
      whiteout('usr/share/doc/set-1/päckage-1', '19'),
      whiteout('usr/share/doc/set-1/päckage-1', '17'),
      whiteout('opt/odd/long', 'hard'),
      whiteout('opt/odd/sp ace', 'new\nline'),
      whiteout('opt/odd/dev', 'null'),
      whiteout('usr/share/doc/set-1', 'none'),
      directory('usr/share/doc/set-2'),
      opaque('usr/share/doc/set-2'),
      file('usr/share/doc/set-2/only'),
      directory('usr/share/doc/set-1/päckage-9', 0o711),
      directory('usr/share/doc/set-1/päckage-9/new'),
      file('usr/share/doc/set-1/päckage-9/new/file'),
      opaque('usr/share/doc/set-1/päckage-9'),
    ],
  },
  {
    // Deleted and replaced names come back as other kinds of files.
    entries: [
      directory('usr/share/doc/set-1/päckage-0'),
      file('usr/share/doc/set-1/päckage-0/again'),
      file('usr/share/doc/set-2/päckage-1/implied-in-opaque'),
      hardlink('usr/share/doc/set-2/linked', file('usr/share/doc/set-2/päckage-1/implied-in-opaque')),
      directory('usr/share/doc/set-0/päckage-2'),
      file('usr/share/doc/set-0/päckage-2/again'),
      directory('usr/share/doc/set-0/päckage-4'),
      file('usr/share/doc/set-0/päckage-4/in-place-of-a-link'),
      file('opt/odd/long/hard', 'no link any more'),
      file('etc/päth', 'ünïcode'),
      directory('.', 0o711),
    ],
  },
]

/** What becomes of the odd tree. */
const oddChanges: ImageLayer = {
  entries: [
    whiteout('opt/odd/long', 'hard'),
    whiteout('opt/odd/sp ace', 'new\nline'),
    whiteout('opt/odd/dev', 'null'),
    directory('opt/odd/usr/share'),
    opaque('opt/odd/usr/share'),
    { ...file('opt/odd/usr/share/only'), uid: 2_000_000, gid: 2_000_001, mode: 0 },
    { ...file('opt/odd/usr/lib/owned'), uid: 12_345, gid: 54_321, mode: 0o4711 },
    hardlink('opt/odd/usr/lib/again', { ...file('opt/odd/usr/lib/owned'), uid: 12_345, gid: 54_321 }),
    file('opt/odd/empty', 'a file in place of a directory'),
    { ...directory('opt/odd/bin', 0o2750), uid: 33, gid: 70_000 },
    file('opt/odd/bin/in-place-of-a-link'),
  ],
}

/** A layer that can be run, and others on top: each adds, changes and deletes something. */
function fortyLayers(busybox: ImageLayer): ImageLayer[] {
  return Array.from({ length: 40 }, (_, index): ImageLayer => {
    if (index === 0) return busybox
    const own = `srv/${index}`
    return {
      entries: [
        directory('srv'),
        directory(own, index % 2 === 0 ? 0o750 : 0o755),
        file(`${own}/file`),
        hardlink(`${own}/link`, file(`${own}/file`)),
        { ...file('srv/all', `layer ${index}`), uid: index },
        ...(index > 3 ? [file(`srv/${index - 1}/from-above/file`)] : []),
        ...(index > 5 && index % 3 === 0 ? [whiteout('srv', `${index - 4}`)] : []),
        ...(index > 5 && index % 5 === 0 ? [directory(`srv/${index - 2}`), opaque(`srv/${index - 2}`)] : []),
      ],
    }
  })
}
