import type { TaskMetrics } from '@nsbox/core/tasks'
import { NsboxError } from '@nsbox/errors'
import { messageJson } from '../message-json.ts'
import { printText } from '../print.ts'
import { requireId } from '../require-id.ts'
import type { Session } from '../session.ts'
import { renderTable } from '../table.ts'
import { metricsRows } from './metrics-rows.ts'

const layout = { minWidth: 1, padding: 4 }

/** `tasks metrics` */
export async function showMetrics(
  { client, signal }: Session,
  { format }: { readonly format: string },
  container: string | undefined,
): Promise<void> {
  if (format !== 'table' && format !== 'json') {
    throw new NsboxError('invalid_argument', `--format ${JSON.stringify(format)}: neither table nor json`)
  }
  const id = requireId(container)
  await client.containers.get(id, { signal })
  const task = await client.container(id).task({ signal })
  await using _ = task
  const found = await task.metrics({ signal })
  const metrics = known(found)
  if (format === 'json') {
    printText(`${messageJson(metrics.metrics)}\n`)
    return
  }
  printText(
    renderTable(
      [
        ['ID', 'TIMESTAMP', ''],
        [id, String(found.timestamp), ''],
      ],
      layout,
    ),
  )
  printText('\n')
  printText(renderTable([['METRIC', 'VALUE', ''], ...metricsRows(metrics)], layout))
}

function known({ data }: TaskMetrics) {
  if ('metrics' in data) return data
  throw new NsboxError('unimplemented', `metrics of type ${JSON.stringify(data.opaque.typeUrl)}`)
}
