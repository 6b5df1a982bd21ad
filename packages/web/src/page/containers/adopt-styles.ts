/**
 * Gives effect to the styles that xterm.js makes. It would put them into `style` elements, which the page's Content
 * Security Policy refuses; in the bundle they are in `template` elements, which mean nothing to a browser
 * (`scripts/bundle-page.mjs`). Sheets that a script makes are as safe as the script.
 *
 * @param place what the elements come into
 * @returns what takes the styles away
 */
export function adoptStyles(place: HTMLElement): () => void {
  const sheets = new Map<HTMLTemplateElement, CSSStyleSheet>()
  const others = document.adoptedStyleSheets
  const adopt = () => {
    for (const element of place.querySelectorAll('template')) {
      const sheet = sheets.get(element) ?? new CSSStyleSheet()
      sheets.set(element, sheet)
      sheet.replaceSync(element.textContent ?? '')
    }
    document.adoptedStyleSheets = [...others, ...sheets.values()]
  }
  const observer = new MutationObserver((changes) => {
    const isStyle = ({ target, addedNodes }: MutationRecord) =>
      [target, target.parentNode, ...addedNodes].some((node) => node instanceof HTMLTemplateElement)
    if (changes.some(isStyle)) adopt()
  })
  observer.observe(place, { subtree: true, childList: true, characterData: true })
  return () => {
    observer.disconnect()
    document.adoptedStyleSheets = others
  }
}
