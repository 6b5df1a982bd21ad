import {
  addGlobalOptions,
  contentCommand,
  fetchCommand,
  fetchObjectCommand,
  imagesDeleteCommand,
  imagesExportCommand,
  imagesFromRootfsCommand,
  imagesImportCommand,
  imagesLabelCommand,
  imagesListCommand,
  pushObjectCommand,
  version,
} from '@nsbox/ctr'
import { Command } from 'commander'
import { pullCommand } from './commands/pull.ts'
import { pushCommand } from './commands/push.ts'

/** The whole command line of `dist` (BEHAVIOUR.md §11). */
export function distProgram(): Command {
  const program = new Command('dist')
    .description('pulls, pushes and inspects images, with a server or without')
    .version(version, '-v, --version')
  return addGlobalOptions(program)
    .addCommand(pullCommand())
    .addCommand(fetchCommand())
    .addCommand(fetchObjectCommand())
    .addCommand(pushCommand())
    .addCommand(pushObjectCommand())
    .addCommand(imagesCommand())
    .addCommand(contentCommand({ remote: false }))
}

function imagesCommand(): Command {
  return new Command('images')
    .aliases(['image', 'i'])
    .description('manage images')
    .addCommand(imagesListCommand({ platforms: false }))
    .addCommand(imagesLabelCommand('set-labels'))
    .addCommand(imagesDeleteCommand())
    .addCommand(imagesImportCommand())
    .addCommand(imagesExportCommand())
    .addCommand(imagesFromRootfsCommand())
}
