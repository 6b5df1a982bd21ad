import { createWriteStream } from 'node:fs'
import { rename, rm, stat } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { fromSystemError, isErrno } from '@nsbox/errors'
import { type ExportedImage, type ExportOptions, exportImages, exportToDirectory } from '@nsbox/images'
import { Command } from 'commander'
import { withSession } from '../command-action.ts'
import { type NameOptions, storedName } from '../image-names.ts'
import { addPlatformOptions, chosenPlatforms, type PlatformOptions } from '../platform-options.ts'
import { writeOutput } from '../write-output.ts'

interface ExportCommandOptions extends PlatformOptions {
  readonly skipManifestJson?: boolean
  readonly skipNonDistributable?: boolean
}

/** `images export <out> <image…>` */
export function imagesExportCommand(names: NameOptions = {}): Command {
  const command = new Command('export')
    .description('export images as an archive that is an OCI image layout and can be loaded by Docker')
    .argument('<out>', 'file to write; a directory, or a name that ends with /; - for standard output')
    .argument('<images...>', 'names of images')
    .option('--skip-manifest-json', 'leave out manifest.json, which Docker needs')
    .option('--skip-non-distributable', 'leave out layers that may not be distributed')
    .option('--local', 'export from within this process, which is how it is always done')
  return addPlatformOptions(command).action(
    withSession(async ({ client, signal }, options: ExportCommandOptions, out: string, given: string[]) => {
      const images: ExportedImage[] = []
      for (const each of given) {
        const name = await storedName(client, each, { ...names, signal })
        images.push(await client.images.get(name, { signal }))
      }
      await exportTo(out, images, {
        content: client.content,
        platforms: chosenPlatforms(options),
        skipDockerManifest: options.skipManifestJson,
        skipNonDistributable: options.skipNonDistributable,
        signal,
      })
    }),
  )
}

async function exportTo(
  out: string,
  images: readonly ExportedImage[],
  options: ExportOptions,
): Promise<void> {
  if (out === '-') return await writeOutput(exportImages(images, options))
  const there = await kindOf(out)
  if (there === 'directory' || out.endsWith('/')) return await exportToDirectory(images, out, options)
  // A device or a FIFO is written to; a file appears as a whole or not at all.
  const path = there === 'other' ? out : `${out}.${process.pid}.partial`
  try {
    const flags = there === 'other' ? 'w' : 'wx'
    await pipeline(exportImages(images, options), createWriteStream(path, { flags }), {
      signal: options.signal,
    })
    if (path !== out) await rename(path, out)
  } catch (error) {
    if (path !== out && !isErrno(error, 'EEXIST')) await rm(path, { force: true })
    throw fromSystemError(error, out)
  }
}

async function kindOf(path: string): Promise<'directory' | 'file' | 'other' | undefined> {
  try {
    const found = await stat(path)
    return found.isDirectory() ? 'directory' : found.isFile() ? 'file' : 'other'
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    throw fromSystemError(error, path)
  }
}
