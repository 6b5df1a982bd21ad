import { Command, InvalidArgumentError } from 'commander'
import { lazyAction } from '../command-action.ts'
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
    .action(lazyAction(async () => (await import('../tasks/attach-task.ts')).attachTask))
}

function checkpointCommand(): Command {
  return new Command('checkpoint')
    .description('write down a task with its files, and print the name of the image')
    .argument('[container]')
    .option('--exit', 'end it once it is written down')
    .option('--image-path <directory>', 'write only its memory, to this directory, and make no image')
    .option('--work-path <directory>', 'directory for the logs of CRIU')
    .action(lazyAction(async () => (await import('../tasks/checkpoint-task.ts')).checkpointTask))
}

function deleteCommand(): Command {
  return new Command('delete')
    .aliases(['del', 'remove', 'rm'])
    .description('remove tasks that have ended')
    .argument('<containers...>')
    .option('-f, --force', 'kill those that have not')
    .option('--exec-id <id>', 'remove this process of the task instead')
    .action(lazyAction(async () => (await import('../tasks/remove-tasks.ts')).removeTasks))
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
    lazyAction(async () => (await import('../tasks/exec-in-task.ts')).execInTask),
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
    .action(lazyAction(async () => (await import('../tasks/kill-task.ts')).killTask))
}

function listCommand(): Command {
  return new Command('list')
    .alias('ls')
    .description('list tasks')
    .option('-q, --quiet', 'print only the ids')
    .option('--json', 'print JSON')
    .action(lazyAction(async () => (await import('../tasks/list-tasks.ts')).listTasks))
}

function metricsCommand(): Command {
  return new Command('metrics')
    .alias('metric')
    .description('print what a task has used up')
    .argument('[container]')
    .option('--format <format>', 'table or json', 'table')
    .action(lazyAction(async () => (await import('../tasks/show-metrics.ts')).showMetrics))
}

function pauseCommand(): Command {
  return new Command('pause')
    .description('freeze all processes of a container')
    .argument('[container]')
    .action(lazyAction(async () => (await import('../tasks/freeze-task.ts')).pauseTask))
}

function psCommand(): Command {
  return new Command('ps')
    .description('list the processes of a container')
    .argument('[container]')
    .option('--json', 'print JSON')
    .action(lazyAction(async () => (await import('../tasks/list-processes.ts')).listProcesses))
}

function resumeCommand(): Command {
  return new Command('resume')
    .description('let frozen processes go on')
    .argument('[container]')
    .action(lazyAction(async () => (await import('../tasks/freeze-task.ts')).resumeTask))
}

function startCommand(): Command {
  const command = new Command('start')
    .description('start the task of a container that exists')
    .argument('[container]')
    .option('-d, --detach', 'leave it running and return at once')
    .option('--pid-file <file>', 'write the id of its first process into this file')
    .option('--no-pivot', 'do not swap the root filesystem by pivot_root')
  return addStdioFlags(command, { nullIo: true }).action(
    lazyAction(async () => (await import('../tasks/start-task.ts')).startTask),
  )
}

function parsePid(text: string): number {
  if (!/^[1-9]\d{0,9}$/.test(text)) throw new InvalidArgumentError('a process id is wanted')
  return Number(text)
}
