/**
 * Gives effect to the styles that xterm.js makes: it puts them into elements, which the page's Content Security Policy
 * refuses as it does all inline styles. Sheets that a script makes are as safe as the script (CSP 3 §8.3).
 *
 * @param place what the elements come into
 * @returns what takes the styles away
 */
export function adoptStyles(place: HTMLElement): () => void {
  const sheets = new Map<HTMLStyleElement, CSSStyleSheet>()
  const others = document.adoptedStyleSheets
  const adopt = () => {
    for (const element of place.querySelectorAll('style')) {
      const sheet = sheets.get(element) ?? new CSSStyleSheet()
      sheets.set(element, sheet)
      sheet.replaceSync(element.textContent ?? '')
    }
    document.adoptedStyleSheets = [...others, ...sheets.values()]
  }
  const observer = new MutationObserver((changes) => {
    const isStyle = ({ target, addedNodes }: MutationRecord) =>
      [target, target.parentNode, ...addedNodes].some((node) => node instanceof HTMLStyleElement)
    if (changes.some(isStyle)) adopt()
  })
  observer.observe(place, { subtree: true, childList: true, characterData: true })
  return () => {
    observer.disconnect()
    document.adoptedStyleSheets = others
  }
}
