import { useComputed, useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { Action } from '../elements/action.tsx'
import { Age } from '../elements/age.tsx'
import { Plot } from '../elements/plot.tsx'
import { Text } from '../elements/text.tsx'
import { useVisibility } from '../elements/visibility.ts'
import { bytesText, percentText } from '../format/quantities.ts'
import { shortened } from '../format/shortened.ts'
import type { ListedContainer, TaskState } from './load-containers.ts'
import { LogsDialog } from './logs-dialog.tsx'
import { NameDialog } from './name-dialog.tsx'
import { RemoveDialog } from './remove-dialog.tsx'
import { checkpoint, fork, freePrefix, kill, pause, resume, start } from './task-actions.ts'
import { TerminalDialog } from './terminal-dialog.tsx'
import { usageOf, watchUsage } from './usage-poll.ts'

interface RowProps {
  readonly container: ListedContainer
  /** Forks stand below what they were forked from, this many steps down. */
  readonly depth: number
  readonly withNamespace: boolean
  /** Whether another container of the namespace has an id. */
  readonly isTaken: (id: string) => boolean
}

type Shown = 'logs' | 'terminal' | 'checkpoint' | 'fork' | 'remove' | undefined

const stateWords: Readonly<Record<TaskState, string>> = {
  none: 'no task',
  created: 'created',
  running: 'running',
  stopped: 'stopped',
  paused: 'paused',
  pausing: 'pausing',
  unknown: 'unknown',
}

/** A container: what it is, what it uses, and what can be done with it. */
export function ContainerRow({ container, depth, withNamespace, isTaken }: RowProps) {
  const { namespace, id, image, state, createdAt, exitStatus, hasLog } = container
  const row = useRef<HTMLTableRowElement>(null)
  const isVisible = useVisibility(row)
  const isRunning = state === 'running'
  useEffect(
    () => (isVisible && isRunning ? watchUsage(namespace, id) : undefined),
    [isVisible, isRunning, namespace, id],
  )
  const shown = useSignal<Shown>(undefined)
  const show = (what: Shown) => () => {
    shown.value = what
  }
  const close = show(undefined)
  const name = shortened(id)
  const isAlive = state === 'running' || state === 'paused'
  const notAlive = isAlive ? undefined : 'It does not run.'
  return (
    <tr ref={row}>
      <th scope="row" class="name" data-label="Container">
        {depth > 0 && (
          <span class="branch" data-depth={Math.min(depth, 6)}>
            <span class="spoken">{`forked from ${shortened(container.forkedFrom ?? '')}: `}</span>
            <span aria-hidden="true">└</span>
          </span>
        )}
        <Text of={id} length={40} />
        {withNamespace && <Text of={namespace} length={24} class="aside" />}
      </th>
      <td data-label="State">
        <span class={`state ${state}`}>{stateWords[state]}</span>
        {state === 'stopped' && <span class="aside">{`exit ${exitStatus}`}</span>}
      </td>
      <td data-label="Image">
        {image === '' ? <span class="aside">none</span> : <Text of={image} length={48} />}
      </td>
      <td data-label="Age" class="number">
        {createdAt !== undefined && <Age since={createdAt} />}
      </td>
      <Usage container={container} isRunning={isRunning} />
      <td class="actions">
        <fieldset aria-label={`Actions for ${name}`}>
          <Action
            label={`Logs of ${name}`}
            run={show('logs')}
            unless={hasLog ? undefined : 'Its output does not go to a file.'}
            reads
          >
            Logs
          </Action>
          <Action
            label={`Terminal in ${name}`}
            run={show('terminal')}
            unless={isRunning ? undefined : 'It does not run.'}
          >
            Terminal
          </Action>
          {isAlive ? (
            <Action
              label={`Stop ${name}`}
              run={() => kill(container, 'SIGTERM')}
              done={`Asked ${name} to stop.`}
              unless={state === 'paused' ? 'It is paused.' : undefined}
            >
              Stop
            </Action>
          ) : (
            <Action
              label={`Start ${name}`}
              run={() => start(container)}
              done={`Started ${name}.`}
              unless={state === 'pausing' || state === 'unknown' ? `It is ${stateWords[state]}.` : undefined}
            >
              Start
            </Action>
          )}
          <Action
            label={`Kill ${name}`}
            run={() => kill(container, 'SIGKILL')}
            done={`Killed ${name}.`}
            unless={notAlive}
            danger
          >
            Kill
          </Action>
          {state === 'paused' ? (
            <Action label={`Resume ${name}`} run={() => resume(container)} done={`Resumed ${name}.`}>
              Resume
            </Action>
          ) : (
            <Action
              label={`Pause ${name}`}
              run={() => pause(container)}
              done={`Paused ${name}.`}
              unless={isRunning ? undefined : 'It does not run.'}
            >
              Pause
            </Action>
          )}
          <Action label={`Fork ${name}`} run={show('fork')} unless={notAlive}>
            Fork
          </Action>
          <Action label={`Checkpoint ${name}`} run={show('checkpoint')} unless={notAlive}>
            Checkpoint
          </Action>
          <Action
            label={`Remove ${name}`}
            run={show('remove')}
            unless={isAlive ? 'It runs.' : undefined}
            danger
          >
            Remove
          </Action>
        </fieldset>
        {shown.value === 'logs' && <LogsDialog container={container} onClose={close} />}
        {shown.value === 'terminal' && <TerminalDialog container={container} onClose={close} />}
        {shown.value === 'remove' && <RemoveDialog container={container} onClose={close} />}
        {shown.value === 'fork' && (
          <NameDialog
            title={`Fork ${name}`}
            explanation="A container that goes on from where this one is now, with copies of its files and its memory. Keys and tokens in its memory are copied as well."
            label="Beginning of the id of the copy; a 1 follows"
            initial={freePrefix(id, isTaken)}
            verb="Fork"
            run={(copy) => fork(container, copy)}
            done={(prefix) => `Forked ${name} into ${shortened(prefix)}1.`}
            onClose={close}
          />
        )}
        {shown.value === 'checkpoint' && (
          <NameDialog
            title={`Checkpoint ${name}`}
            explanation="An image of the container, its files and its memory, from which it can be restored. It is paused meanwhile."
            label="Name of the image"
            initial={`checkpoint/${id}:latest`}
            verb="Checkpoint"
            run={(image) => checkpoint(container, image)}
            done={(image) => `Made the image ${shortened(image)}.`}
            onClose={close}
          />
        )}
      </td>
    </tr>
  )
}

function Usage({
  container,
  isRunning,
}: {
  readonly container: ListedContainer
  readonly isRunning: boolean
}) {
  const { namespace, id } = container
  const points = usageOf(namespace, id)
  const processors = useComputed(() => points.value.map(({ at, processors }) => [at, processors] as const))
  const memory = useComputed(() => points.value.map(({ at, memory }) => [at, memory] as const))
  const last = points.value.at(-1)
  if (!isRunning || last === undefined) {
    return (
      <>
        <td data-label="CPU" class="usage" />
        <td data-label="Memory" class="usage" />
      </>
    )
  }
  const [cpuText, memoryText] = [percentText(last.processors), bytesText(last.memory)]
  return (
    <>
      <td data-label="CPU" class="usage">
        <Plot
          points={processors.value}
          ceiling={0.05}
          width={60}
          height={22}
          label={`Processor use of ${shortened(id)}`}
        />
        <span class="figure">{cpuText}</span>
      </td>
      <td data-label="Memory" class="usage">
        <Plot points={memory.value} width={60} height={22} label={`Memory use of ${shortened(id)}`} />
        <span class="figure">{memoryText}</span>
      </td>
    </>
  )
}
