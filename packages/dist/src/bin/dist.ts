import { runProgram } from '@nsbox/ctr'
import { distProgram } from '../program.ts'

await runProgram(distProgram())
