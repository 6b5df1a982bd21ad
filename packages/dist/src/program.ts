import { addCompletion, addManual } from '@nsbox/command-line'
import {
  addGlobalOptions,
  contentCommand,
  doctorCommand,
  fetchCommand,
  fetchObjectCommand,
  imagesDeleteCommand,
  imagesExportCommand,
  imagesFromRootfsCommand,
  imagesImportCommand,
  imagesLabelCommand,
  imagesListCommand,
  objectWords,
  pullCommand,
  pushCommand,
  pushObjectCommand,
  referrersCommand,
  version,
} from '@nsbox/ctr'
import { Command } from 'commander'
import { applyCommand } from './commands/apply.ts'
import { rootfsCommand } from './commands/rootfs.ts'

const names = { shortNames: true } as const

/** The whole command line of `dist` (docs/behaviour.md §11). */
export function distProgram(): Command {
  const program = new Command('dist')
    .description('pulls, pushes and inspects images, with a server or without')
    .version(version, '-v, --version')
  addGlobalOptions(program)
    .addCommand(pullCommand(names))
    .addCommand(fetchCommand(names))
    .addCommand(fetchObjectCommand(names))
    .addCommand(pushCommand(names))
    .addCommand(pushObjectCommand(names))
    .addCommand(referrersCommand(names))
    .addCommand(imagesCommand())
    .addCommand(contentCommand({ remote: false }))
    .addCommand(rootfsCommand())
    .addCommand(applyCommand())
    .addCommand(doctorCommand())
  return addManual(addCompletion(program, { sourceOf: objectWords() }), { version, project: 'nsbox' })
}

function imagesCommand(): Command {
  return new Command('images')
    .aliases(['image', 'i'])
    .description('manage images')
    .addCommand(imagesListCommand({ platforms: false }))
    .addCommand(imagesLabelCommand('set-labels', names))
    .addCommand(imagesDeleteCommand(names))
    .addCommand(imagesImportCommand())
    .addCommand(imagesExportCommand(names))
    .addCommand(imagesFromRootfsCommand(names))
}
