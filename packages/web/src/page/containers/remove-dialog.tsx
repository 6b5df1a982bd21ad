import { ConfirmDialog } from '../elements/confirm-dialog.tsx'
import { shortened } from '../format/shortened.ts'
import type { ListedContainer } from './load-containers.ts'
import { remove } from './task-actions.ts'

interface RemoveDialogProps {
  readonly container: ListedContainer
  readonly onClose: () => void
}

export function RemoveDialog({ container, onClose }: RemoveDialogProps) {
  const name = shortened(container.id)
  return (
    <ConfirmDialog
      title={`Remove ${name}?`}
      verb="Remove"
      run={() => remove(container)}
      done={`Removed ${name}.`}
      onClose={onClose}
    >
      <p>Its files are removed with it. This cannot be undone.</p>
    </ConfirmDialog>
  )
}
