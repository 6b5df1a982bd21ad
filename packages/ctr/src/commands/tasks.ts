import { Command, InvalidArgumentError } from 'commander'
import { withSession } from '../command-action.ts'
import type { CheckpointFlags } from '../tasks/checkpoint-task.ts'
import type { ExecFlags } from '../tasks/exec-in-task.ts'
import type { KillFlags } from '../tasks/kill-task.ts'
import type { StartFlags } from '../tasks/start-task.ts'
import { addStdioFlags } from '../tasks/stdio-flags.ts'

/**
 * `tasks start|attach|checkpoint|exec|kill|pause|resume|ps|ls|rm|metrics`; what they do is loaded only when they do it.
 */
export function tasksCommand(): Command {
  return new Command('tasks')
    .aliases(['t', 'task'])
    .description('manage tasks, the running processes of containers')
    .enablePositionalOptions()
    .addCommand(attachCommand())
    .addCommand(checkpointCommand())
    .addCommand(deleteCommand())
    .addCommand(execCommand())
    .addCommand(killCommand())
    .addCommand(listCommand())
    .addCommand(metricsCommand())
    .addCommand(pauseCommand())
    .addCommand(psCommand())
    .addCommand(resumeCommand())
    .addCommand(startCommand())
}

function attachCommand(): Command {
  return new Command('attach')
    .description('connect this terminal with a running task')
    .argument('[container]')
    .action(
      withSession(async (session, _flags, id: string | undefined) => {
        const { attachTask } = await import('../tasks/attach-task.ts')
        await attachTask(session, id)
      }),
    )
}

function checkpointCommand(): Command {
  return new Command('checkpoint')
    .description('write down a task with its files, and print the name of the image')
    .argument('[container]')
    .option('--exit', 'end it once it is written down')
    .option('--image-path <directory>', 'write only its memory, to this directory, and make no image')
    .option('--work-path <directory>', 'directory for the logs of CRIU')
    .action(
      withSession(async (session, flags: CheckpointFlags, id: string | undefined) => {
        const { checkpointTask } = await import('../tasks/checkpoint-task.ts')
        await checkpointTask(session, flags, id)
      }),
    )
}

function deleteCommand(): Command {
  return new Command('delete')
    .aliases(['del', 'remove', 'rm'])
    .description('remove tasks that have ended')
    .argument('<containers...>')
    .option('-f, --force', 'kill those that have not')
    .option('--exec-id <id>', 'remove this process of the task instead')
    .action(
      withSession(async (session, flags: { force?: boolean; execId?: string }, ids: string[]) => {
        const { removeTasks } = await import('../tasks/remove-tasks.ts')
        await removeTasks(session, flags, ids)
      }),
    )
}

function execCommand(): Command {
  const command = new Command('exec')
    .description('run another process in a running container')
    .argument('[container]')
    .argument('[program...]')
    .passThroughOptions()
    .option('--cwd <directory>', 'working directory')
    .option('-t, --tty', 'give it a terminal')
    .option('-d, --detach', 'leave it running and return at once')
    .option('--exec-id <id>', 'id of the process; a random one by default')
    .option('--user <user>', 'user and group by name or number, <user>[:<group>]')
  return addStdioFlags(command, { nullIo: false }).action(
    withSession(async (session, flags: ExecFlags, id: string | undefined, program: string[]) => {
      const { execInTask } = await import('../tasks/exec-in-task.ts')
      await execInTask(session, flags, id, program)
    }),
  )
}

function killCommand(): Command {
  return new Command('kill')
    .description('send a signal to a task')
    .argument('[container]')
    .option('-s, --signal <signal>', 'name or number; what the image says, else SIGTERM, by default')
    .option('--exec-id <id>', 'to this process of the task')
    .option('-a, --all', 'to all processes of the container')
    .option('--pid <pid>', 'to any process of the container, as the host numbers it', parsePid)
    .action(
      withSession(async (session, flags: KillFlags, id: string | undefined) => {
        const { killTask } = await import('../tasks/kill-task.ts')
        await killTask(session, flags, id)
      }),
    )
}

function listCommand(): Command {
  return new Command('list')
    .alias('ls')
    .description('list tasks')
    .option('-q, --quiet', 'print only the ids')
    .option('--json', 'print JSON')
    .action(
      withSession(async (session, flags: { quiet?: boolean; json?: boolean }) => {
        const { listTasks } = await import('../tasks/list-tasks.ts')
        await listTasks(session, flags)
      }),
    )
}

function metricsCommand(): Command {
  return new Command('metrics')
    .alias('metric')
    .description('print what a task has used up')
    .argument('[container]')
    .option('--format <format>', 'table or json', 'table')
    .action(
      withSession(async (session, flags: { format: string }, id: string | undefined) => {
        const { showMetrics } = await import('../tasks/show-metrics.ts')
        await showMetrics(session, flags, id)
      }),
    )
}

function pauseCommand(): Command {
  return new Command('pause')
    .description('freeze all processes of a container')
    .argument('[container]')
    .action(
      withSession(async (session, _flags, id: string | undefined) => {
        const { pauseTask } = await import('../tasks/freeze-task.ts')
        await pauseTask(session, id)
      }),
    )
}

function psCommand(): Command {
  return new Command('ps')
    .description('list the processes of a container')
    .argument('[container]')
    .option('--json', 'print JSON')
    .action(
      withSession(async (session, flags: { json?: boolean }, id: string | undefined) => {
        const { listProcesses } = await import('../tasks/list-processes.ts')
        await listProcesses(session, flags, id)
      }),
    )
}

function resumeCommand(): Command {
  return new Command('resume')
    .description('let frozen processes go on')
    .argument('[container]')
    .action(
      withSession(async (session, _flags, id: string | undefined) => {
        const { resumeTask } = await import('../tasks/freeze-task.ts')
        await resumeTask(session, id)
      }),
    )
}

function startCommand(): Command {
  const command = new Command('start')
    .description('start the task of a container that exists')
    .argument('[container]')
    .option('-d, --detach', 'leave it running and return at once')
    .option('--pid-file <file>', 'write the id of its first process into this file')
    .option('--no-pivot', 'do not swap the root filesystem by pivot_root')
  return addStdioFlags(command, { nullIo: true }).action(
    withSession(async (session, flags: StartFlags, id: string | undefined) => {
      const { startTask } = await import('../tasks/start-task.ts')
      await startTask(session, flags, id)
    }),
  )
}

function parsePid(text: string): number {
  if (!/^[1-9]\d{0,9}$/.test(text)) throw new InvalidArgumentError('a process id is wanted')
  return Number(text)
}
