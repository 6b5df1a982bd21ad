import { ctrProgram } from '../program.ts'
import { runProgram } from '../run-program.ts'

void runProgram(ctrProgram())
