import { readFile } from 'node:fs/promises'
import type { Client } from '@nsbox/client'

/** A shell's program that counts in a file, as long as it lives. Each line is one more than that before it. */
export const counter = 'i=0; while true; do i=$((i+1)); echo $i >> /count; usleep 50000; done'

/** What a container that counts has written down; nothing at first. */
export async function numbersOf({ tasks }: Pick<Client, 'tasks'>, id: string): Promise<number[]> {
  const { pid } = await tasks.get(id)
  const text = await readFile(`/proc/${pid}/root/count`, 'utf8').catch(() => '')
  return text.split('\n').filter(Boolean).map(Number)
}
