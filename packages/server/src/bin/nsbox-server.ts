#!/usr/bin/env node
import { runServer } from '../run-server.ts'
import { runTask } from '../run-task.ts'
import { readCommandLine } from './command-line.ts'

const task = readCommandLine()
void (task.kind === 'serve' ? runServer(task.sources) : runTask(task))
