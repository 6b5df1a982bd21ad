import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { digestHex, digestOf } from '@nsbox/oci'
import { type TarEntry, tar } from '@nsbox/testing'

/** The files of a directory as entries of an archive, by their names. */
export async function directoryEntries(directory: string): Promise<TarEntry[]> {
  const found = await readdir(directory, { recursive: true, withFileTypes: true })
  const entries = found
    .filter((entry) => entry.isFile())
    .map(async (entry): Promise<TarEntry> => {
      const path = join(entry.parentPath, entry.name)
      return { name: path.slice(directory.length + 1), content: await readFile(path) }
    })
  return (await Promise.all(entries)).sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** The tar of a layer with one file, not compressed. */
export async function plainLayer(name: string, content: string): Promise<Buffer> {
  return await buffer(tar([{ name, content }]))
}

/**
 * An image in the form of `docker save` before it had image layouts, with a directory for each layer.
 * @param stored the layers in the archive; the real ones by default
 */
export function dockerEntries(
  layers: readonly Uint8Array[],
  repoTags: readonly string[] | null,
  stored: readonly Uint8Array[] = layers,
): TarEntry[] {
  const config = JSON.stringify({
    architecture: 'amd64',
    os: 'linux',
    config: { Cmd: ['sh'] },
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => digestOf(layer)) },
  })
  const name = `${digestHex(digestOf(config))}.json`
  const files = stored.map((_, index) => `layer${index}/layer.tar`)
  const manifest = [{ Config: name, RepoTags: repoTags, Layers: files }]
  return [
    { name, content: config },
    ...stored.flatMap((content, index): TarEntry[] => [
      { type: 'directory', name: `layer${index}` },
      { name: `layer${index}/VERSION`, content: '1.0' },
      { name: `layer${index}/layer.tar`, content },
    ]),
    { name: 'manifest.json', content: JSON.stringify(manifest) },
  ]
}
