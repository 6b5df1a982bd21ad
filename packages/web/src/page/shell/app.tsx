import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { ActivityView } from '../activity/activity-view.tsx'
import { recordEvents } from '../activity/recent-events.ts'
import { linkState, session } from '../connection/link.ts'
import { ContainersView } from '../containers/containers-view.tsx'
import { DiskView } from '../disk/disk-view.tsx'
import { Announcements } from '../elements/announcements.tsx'
import { ImagesView } from '../images/images-view.tsx'
import { watchIngests } from '../images/ingests.ts'
import { ServerView } from '../server/server-view.tsx'
import { LinkBanner } from './link-banner.tsx'
import { NamespaceSelect } from './namespace-select.tsx'
import { type View, view, views } from './route.ts'
import { ThemeSelect } from './theme-select.tsx'

const shown: Readonly<Record<View, () => preact.JSX.Element>> = {
  containers: ContainersView,
  images: ImagesView,
  disk: DiskView,
  activity: ActivityView,
  server: ServerView,
}

/** The page: how it is reached, what is shown, and what is being said. */
export function App() {
  const main = useRef<HTMLElement>(null)
  const isFirst = useSignal(true)
  const current = view.value
  useEffect(() => {
    recordEvents()
    return watchIngests()
  }, [])
  useEffect(() => {
    document.title = `${views[current]} · nsbox`
    // Who has chosen a view goes on there; at first the browser's own beginning is right.
    if (!isFirst.peek()) main.current?.querySelector('h1')?.focus()
    isFirst.value = false
  }, [current, isFirst])
  const Shown = shown[current]
  return (
    <>
      <button type="button" class="skip" onClick={() => main.current?.querySelector('h1')?.focus()}>
        Skip to the content
      </button>
      <header class="top">
        <a href="#containers" class="brand" aria-label="nsbox">
          nsbox
        </a>
        <nav aria-label="Views">
          {Object.entries(views).map(([name, title]) => (
            <a key={name} href={`#${name}`} aria-current={name === current ? 'page' : undefined}>
              {title}
            </a>
          ))}
        </nav>
        <div class="top-controls">
          {session.value !== undefined && (
            <span class="mode">{session.value.write ? 'actions allowed' : 'read-only'}</span>
          )}
          <NamespaceSelect />
          <ThemeSelect />
        </div>
      </header>
      <LinkBanner />
      <main ref={main} data-link={linkState.value.kind}>
        <Shown />
      </main>
      <Announcements />
    </>
  )
}
