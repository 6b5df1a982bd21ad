import { helpTests } from '@nsbox/testing/help-tests'
import { manualTests } from '@nsbox/testing/manual-tests'
import { distProgram } from './program.ts'

helpTests(distProgram)
manualTests(distProgram)
