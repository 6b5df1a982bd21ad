import { Command } from 'commander'
import { contentActiveCommand } from './content-active.ts'
import { contentDeleteCommand, contentLabelCommand, contentListCommand } from './content-blobs.ts'
import { contentEditCommand } from './content-edit.ts'
import { fetchBlobCommand, fetchCommand, fetchObjectCommand } from './content-fetch.ts'
import { contentGetCommand } from './content-get.ts'
import { contentIngestCommand } from './content-ingest.ts'
import { contentPruneCommand } from './content-prune.ts'
import { pushObjectCommand } from './push-object.ts'

/**
 * `content active|delete|edit|get|ingest|label|ls|prune` and, among `ctr`'s names,
 * `fetch|fetch-blob|fetch-object|push-object`
 */
export function contentCommand({ remote }: { remote: boolean }): Command {
  const content = new Command('content')
    .description('manage content')
    .addCommand(contentActiveCommand())
    .addCommand(contentDeleteCommand())
    .addCommand(contentEditCommand())
    .addCommand(contentGetCommand())
    .addCommand(contentIngestCommand())
    .addCommand(contentLabelCommand())
    .addCommand(contentListCommand())
    .addCommand(contentPruneCommand())
  if (remote) {
    content
      .addCommand(fetchCommand())
      .addCommand(fetchBlobCommand())
      .addCommand(fetchObjectCommand())
      .addCommand(pushObjectCommand())
  }
  return content
}
