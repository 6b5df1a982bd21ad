#!/usr/bin/env node
import { runServer } from '../run-server.ts'
import { readCommandLine } from './command-line.ts'

void runServer(readCommandLine())
