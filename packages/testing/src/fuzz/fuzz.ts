import fc from 'fast-check'
import { test } from 'vitest'

/**
 * The result of one input: a word such as `accepted`, or the code of a refusal. A target that accepts nothing in a
 * whole run does not get past its first check, and fails.
 */
export type Outcome = string

/** How much to try. */
export interface FuzzOptions<Input> {
  /** Inputs of an ordinary run; 500 by default. */
  readonly runs?: number
  /** Inputs of a long one; 100,000 by default. */
  readonly longRuns?: number
  /** How many inputs are tried concurrently, which is faster for a target that waits; 1 by default. */
  readonly together?: number
  /** Inputs that are always tried, such as earlier failures. */
  readonly examples?: readonly Input[]
}

const isLong = Boolean(process.env.NSBOX_TEST_LONG)
/** An ordinary run is always the same; a long one uses other inputs each time. */
const ordinarySeed = 20_261_130

/**
 * Tests a property of all inputs. A failure prints the smallest input that shows it, and a seed and path; with these in
 * `NSBOX_FUZZ_SEED` and `NSBOX_FUZZ_PATH` the same input is tried again. `NSBOX_FUZZ_RUNS` sets the number of inputs.
 */
export function fuzz<Input>(
  name: string,
  input: fc.Arbitrary<Input>,
  property: (input: Input) => Outcome | Promise<Outcome>,
  { runs = 500, longRuns = 100_000, together = 1, examples = [] }: FuzzOptions<Input> = {},
): void {
  const { NSBOX_FUZZ_SEED: seed, NSBOX_FUZZ_PATH: path, NSBOX_FUZZ_RUNS: wanted } = process.env
  const numRuns = Number(wanted ?? (isLong ? longRuns : runs))
  test(name, { timeout: isLong || wanted !== undefined ? 3_600_000 : 60_000 }, async () => {
    const outcomes = new Map<Outcome, number>()
    let slowest = 0
    const attemptOne = async (value: Input) => {
      const before = performance.now()
      const outcome = await property(value)
      slowest = Math.max(slowest, performance.now() - before)
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
    }
    const inputs = fc.array(input, { minLength: together, maxLength: together })
    const counted = fc.asyncProperty(inputs, (values) => settled(values.map(attemptOne)))
    const started = performance.now()
    await fc.assert(counted, {
      numRuns: Math.ceil(numRuns / together),
      seed: seed === undefined ? (isLong ? undefined : ordinarySeed) : Number(seed),
      ...(path === undefined ? {} : { path, endOnFailure: true }),
      examples: examples.map((example): [Input[]] => [[example]]),
    })
    if (isLong || wanted !== undefined) {
      const seconds = ((performance.now() - started) / 1000).toFixed(1)
      const found = JSON.stringify(Object.fromEntries(outcomes))
      console.log(`fuzz: ${name}: ${numRuns} in ${seconds} s, slowest ${slowest.toFixed(0)} ms, ${found}`)
    }
    if (path === undefined && !outcomes.has('accepted'))
      throw new Error(
        `of ${numRuns} inputs none was accepted: ${JSON.stringify(Object.fromEntries(outcomes))}`,
      )
  })
}

/** Waits for all, so that none still runs during the next ones. @throws the first failure */
async function settled(attempts: readonly Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(attempts))
    if (result.status === 'rejected') throw result.reason
}
