import { helpTests } from '@nsbox/testing/help-tests'
import { ctrProgram } from './program.ts'

helpTests(ctrProgram)
