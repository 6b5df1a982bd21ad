import { Command } from 'commander'
import { imagesDeleteCommand, imagesLabelCommand } from './images-change.ts'
import { imagesCheckCommand } from './images-check.ts'
import { imagesBuildErofsCacheCommand, imagesConvertCommand } from './images-convert.ts'
import { imagesExportCommand } from './images-export.ts'
import { imagesFromRootfsCommand } from './images-from-rootfs.ts'
import { imagesImportCommand } from './images-import.ts'
import { imagesInspectCommand } from './images-inspect.ts'
import { imagesListCommand } from './images-list.ts'
import { imagesMountCommand, imagesUnmountCommand } from './images-mount.ts'
import { imagesPruneCommand } from './images-prune.ts'
import { imagesTagCommand } from './images-tag.ts'
import { imagesUsageCommand } from './images-usage.ts'
import { pullCommand } from './pull.ts'
import { pushCommand } from './push.ts'

/** `images check|convert|delete|export|from-rootfs|import|inspect|label|ls|mount|prune|pull|push|tag|unmount|usage` */
export function imagesCommand(): Command {
  return new Command('images')
    .aliases(['image', 'i'])
    .description('manage images')
    .addCommand(imagesCheckCommand())
    .addCommand(imagesBuildErofsCacheCommand(), { hidden: true })
    .addCommand(imagesConvertCommand())
    .addCommand(imagesDeleteCommand())
    .addCommand(imagesExportCommand())
    .addCommand(imagesFromRootfsCommand())
    .addCommand(imagesImportCommand())
    .addCommand(imagesInspectCommand())
    .addCommand(imagesLabelCommand())
    .addCommand(imagesListCommand({ platforms: true }))
    .addCommand(imagesMountCommand())
    .addCommand(imagesPruneCommand())
    .addCommand(pullCommand())
    .addCommand(pushCommand())
    .addCommand(imagesTagCommand())
    .addCommand(imagesUnmountCommand())
    .addCommand(imagesUsageCommand())
}
