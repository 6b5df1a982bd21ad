import { type TestFunction, test } from 'vitest'

/** Declares a test on a subject of its own. */
export type SubjectTest<Subject> = (name: string, body: (subject: Subject) => Promise<void>) => void

/**
 * @param create makes the subject of each test, which is disposed of afterwards
 * @param claimed whether the tested behaviour is promised; if not, the tests are listed as skipped
 */
export function subjectTest<Subject extends AsyncDisposable>(
  create: () => Promise<Subject>,
  claimed = true,
): SubjectTest<Subject> {
  return (name, body) => {
    const run: TestFunction = async () => {
      await using subject = await create()
      await body(subject)
    }
    if (claimed) test(name, run)
    else test.skip(`${name} (not claimed)`, run)
  }
}
