#!/usr/bin/env node
import { runServer } from '../run-server.ts'
import { runTask } from '../run-task.ts'
import { readCommandLine } from './command-line.ts'

void readCommandLine().then(async (task) => {
  if (task.kind === 'serve') await runServer(task.sources)
  else if (task.kind !== 'answered') await runTask(task)
})
