import { Command } from 'commander'
import { withSession } from '../command-action.ts'
import { addPlatformOptions, chosenPlatforms, type PlatformOptions } from '../platform-options.ts'
import { print } from '../print.ts'
import { refusedOption } from '../refused-option.ts'

const noErofs = 'layers are applied as tar archives, never as EROFS file systems'

interface ConvertOptions extends PlatformOptions {
  readonly oci?: boolean
  readonly uncompress?: boolean
}

/** `images build-erofs-cache`, which is refused */
export function imagesBuildErofsCacheCommand(): Command {
  return new Command('build-erofs-cache')
    .description(noErofs)
    .argument('[arguments...]')
    .allowUnknownOption()
    .action(() => {
      throw new Error(`images build-erofs-cache: not supported: ${noErofs}`)
    })
}

/** `images convert <source> <target>` */
export function imagesConvertCommand(): Command {
  const command = new Command('convert')
    .description('make an image in another form of an image, and print its digest')
    .argument('<source>', 'name of the image')
    .argument('<target>', 'name of the new image')
    .option('--oci', 'make Docker’s media types those of the OCI')
    .option('--uncompress', 'decompress layers')
    .addOption(refusedOption('--erofs', noErofs))
    .addOption(refusedOption('--erofs-compressors <compressors>', noErofs))
    .addOption(refusedOption('--erofs-mkfs-options <options>', noErofs))
  return addPlatformOptions(command).action(
    withSession(async ({ client, signal }, options: ConvertOptions, source: string, name: string) => {
      const { convertImage, recordImage } = await import('@nsbox/images')
      await using lease = await client.createLease({ signal })
      const { content, images } = lease.client
      const { oci, uncompress } = options
      const image = await images.get(source, { signal })
      const wish = { oci, uncompress, platforms: chosenPlatforms(options) }
      const target = await convertImage(image.target, { ...wish, content, signal })
      await recordImage(images, { name, target, labels: image.labels }, { signal })
      print(target.digest)
    }),
  )
}
