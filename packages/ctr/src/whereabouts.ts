import { namespacesWith } from '@nsbox/client'
import { isNsboxError, NsboxError, quoted } from '@nsbox/errors'
import type { Session } from './session.ts'

/** Names of namespaces that are told. */
const mostNames = 5

/** Says which other namespaces have what was not found, as the end of a sentence; empty if none has. */
export async function whereabouts({ client, signal }: Session, error: unknown): Promise<string> {
  const names = await namespacesWith(client, error, { signal })
  if (names.length === 0) return ''
  const told = names.slice(0, mostNames).map(quoted).join(', ')
  if (names.length === 1) return `; namespace ${told} has it`
  return `; namespaces ${told}${names.length > mostNames ? ', …' : ''} have it`
}

/** The same error, with a message that says which other namespaces have what was not found, if any has. */
export async function withWhereabouts(session: Session, error: unknown): Promise<unknown> {
  const where = await whereabouts(session, codedCause(error))
  if (where === '') return error
  if (isNsboxError(error)) return new NsboxError(error.code, `${error.context}${where}`, { cause: error })
  return new Error(`${(error as Error).message}${where}`, { cause: error })
}

/** The first error with a code, of an error and its causes. */
function codedCause(error: unknown): unknown {
  let coded = error
  while (coded instanceof Error && !isNsboxError(coded)) coded = coded.cause
  return coded
}
