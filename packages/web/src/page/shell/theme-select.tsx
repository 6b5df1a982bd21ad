import { type Theme, theme } from '../elements/theme.ts'

/** Chooses dark or light, or leaves it to the system. */
export function ThemeSelect() {
  return (
    <select
      aria-label="Colours"
      value={theme.value}
      onChange={(event) => {
        theme.value = event.currentTarget.value as Theme
      }}
    >
      <option value="auto">Auto</option>
      <option value="light">Light</option>
      <option value="dark">Dark</option>
    </select>
  )
}
