export { type Attempt, attempt, attemptAsync } from './attempt.ts'
export { type FuzzOptions, fuzz, type Outcome } from './fuzz.ts'
export { type MutationOptions, mutatedBytes, mutatedText, shown } from './mutated-bytes.ts'
export { mutatedJson } from './mutated-json.ts'
