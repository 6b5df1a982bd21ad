import { addCompletion, addManual } from '@nsbox/command-line'
import { Command } from 'commander'
import { containersCommand } from './commands/containers.ts'
import { contentCommand } from './commands/content.ts'
import { deprecationsCommand } from './commands/deprecations.ts'
import { dfCommand } from './commands/df.ts'
import { doctorCommand } from './commands/doctor.ts'
import { eventsCommand } from './commands/events.ts'
import { imagesCommand } from './commands/images.ts'
import { infoCommand } from './commands/info.ts'
import { leasesCommand } from './commands/leases.ts'
import { logsCommand } from './commands/logs.ts'
import { namespacesCommand } from './commands/namespaces.ts'
import { ociCommand } from './commands/oci.ts'
import { pluginsCommand } from './commands/plugins.ts'
import { pruneCommand } from './commands/prune.ts'
import { runCommand } from './commands/run.ts'
import { sandboxesCommand } from './commands/sandboxes.ts'
import { snapshotsCommand } from './commands/snapshots.ts'
import { statsCommand } from './commands/stats.ts'
import { tasksCommand } from './commands/tasks.ts'
import { topCommand } from './commands/top.ts'
import { versionCommand } from './commands/version.ts'
import { webCommand } from './commands/web.ts'
import { whyCommand } from './commands/why.ts'
import { objectWords } from './completion/object-words.ts'
import { addGlobalOptions } from './global-options.ts'
import { shareGlobalOptions } from './share-global-options.ts'
import { version } from './version.ts'

/** The whole command line of `ctr`. */
export function ctrProgram(): Command {
  const program = new Command('ctr')
    .description('a client of containerd’s API that users of containerd know')
    .version(version, '-v, --version')
  addGlobalOptions(program)
    .enablePositionalOptions()
    .addCommand(versionCommand())
    .addCommand(containersCommand())
    .addCommand(contentCommand({ remote: true }))
    .addCommand(deprecationsCommand())
    .addCommand(dfCommand())
    .addCommand(doctorCommand())
    .addCommand(eventsCommand())
    .addCommand(imagesCommand())
    .addCommand(infoCommand())
    .addCommand(leasesCommand())
    .addCommand(logsCommand())
    .addCommand(namespacesCommand())
    .addCommand(ociCommand())
    .addCommand(pluginsCommand())
    .addCommand(pruneCommand())
    .addCommand(runCommand())
    .addCommand(sandboxesCommand())
    .addCommand(snapshotsCommand())
    .addCommand(statsCommand())
    .addCommand(tasksCommand())
    .addCommand(topCommand())
    .addCommand(webCommand())
    .addCommand(whyCommand())
  addCompletion(program, { sourceOf: objectWords() })
  addManual(program, {
    version,
    project: 'nsbox',
    exitStatus: ['A command that runs a process in the foreground ends with the status of that process.'],
  })
  return shareGlobalOptions(program)
}
