import { type Signal, signal } from '@preact/signals'

/** The views, by the fragment of the address that leads to each. */
export const views = {
  containers: 'Containers',
  images: 'Images',
  disk: 'Disk',
  activity: 'Activity',
  server: 'Server',
} as const

export type View = keyof typeof views

/** The view that is shown. */
export const view: Signal<View> = signal(viewOf(location.hash))

addEventListener('hashchange', () => {
  view.value = viewOf(location.hash)
})

function viewOf(hash: string): View {
  const name = hash.slice(1)
  return Object.hasOwn(views, name) ? (name as View) : 'containers'
}
