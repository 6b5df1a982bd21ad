import { readFile } from 'node:fs/promises'
import type { Client } from '@nsbox/client'

/** What a `counter` has written down so far; nothing at first. */
export async function numbersOf({ tasks }: Pick<Client, 'tasks'>, id: string): Promise<number[]> {
  const { pid } = await tasks.get(id)
  const text = await readFile(`/proc/${pid}/root/numbers`, 'utf8').catch(() => '')
  return text.split('\n').filter(Boolean).map(Number)
}
