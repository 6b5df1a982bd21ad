const token = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s"{}[\],:]+/gs

/** What Go's encoder escapes in texts so that JSON can stand in HTML; outside of texts JSON has none of them. */
const escaped = /[<>&\u2028\u2029]/g

/**
 * Valid JSON, one value to a line and indented by four spaces, as containerd's client prints it. Numbers stay as they
 * are written, however many digits they have, and so does the order of fields.
 *
 * @param options.indent spaces by which to indent
 * @param options.forHtml whether to escape what means something in HTML, which is done by default
 */
export function indentJson(json: string, { indent = 4, forHtml = true } = {}): string {
  let text = ''
  let depth = 0
  let opened = false
  const newLine = () => `\n${' '.repeat(indent * depth)}`
  for (const [part] of json.matchAll(token)) {
    if (part === '}' || part === ']') {
      depth--
      text += opened ? part : newLine() + part
    } else if (part === ',') {
      text += part + newLine()
    } else if (part === ':') {
      text += ': '
    } else {
      text += opened ? newLine() + part : part
    }
    opened = part === '{' || part === '['
    if (opened) depth++
  }
  if (!forHtml) return text
  return text.replace(escaped, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
