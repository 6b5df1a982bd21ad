import { helpTests } from '@nsbox/testing/help-tests'
import { manualTests } from '@nsbox/testing/manual-tests'
import { ctrProgram } from './program.ts'

helpTests(ctrProgram)
manualTests(ctrProgram)
