import { effect, type Signal, signal } from '@preact/signals'

/** What the person has chosen; `auto` is what the system says. */
export type Theme = 'auto' | 'light' | 'dark'

const key = 'nsbox-theme'
const stored = localStorage.getItem(key)

export const theme: Signal<Theme> = signal(stored === 'light' || stored === 'dark' ? stored : 'auto')

effect(() => {
  const root = document.documentElement
  if (theme.value === 'auto') {
    delete root.dataset.theme
    localStorage.removeItem(key)
  } else {
    root.dataset.theme = theme.value
    localStorage.setItem(key, theme.value)
  }
})
