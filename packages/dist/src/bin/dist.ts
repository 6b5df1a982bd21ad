import { runProgram } from '@nsbox/ctr'
import { distProgram } from '../program.ts'

void runProgram(distProgram())
