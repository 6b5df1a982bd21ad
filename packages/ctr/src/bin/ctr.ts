import { ctrProgram } from '../program.ts'
import { runProgram } from '../run-program.ts'

await runProgram(ctrProgram())
