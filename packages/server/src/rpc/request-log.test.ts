import { createContextValues } from '@connectrpc/connect'
import { toConnectError } from '@nsbox/api'
import { NsboxError } from '@nsbox/errors'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { textLine } from '../log/text-line.ts'
import { requestLog } from './request-log.ts'

test('says once what a call has failed with, and where it comes from', async () => {
  const lines: string[] = []
  const log = pino({ level: 'debug' }, { write: (line) => void lines.push(line) })
  const failing = async () => {
    const cause = new NsboxError('unknown', 'ended with 1')
    throw toConnectError(new NsboxError('unknown', 'OCI runtime create failed: no way', { cause }))
  }
  const call = requestLog(log, { touch: () => undefined } as never)(failing)
  const request = {
    service: { typeName: 'a.Tasks' },
    method: { name: 'Create' },
    contextValues: createContextValues(),
  }
  await expect(call(request as never)).rejects.toThrow()
  const text = lines.map(textLine).join('')
  expect(text.match(/OCI runtime create failed/g)).toHaveLength(1)
  expect(text).toContain('ended with 1')
})
