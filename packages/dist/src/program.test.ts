import { helpTests } from '@nsbox/testing/help-tests'
import { distProgram } from './program.ts'

helpTests(distProgram)
