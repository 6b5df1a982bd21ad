/** What stands in a Markdown document between two lines of three backquotes. */
export interface FencedBlock {
  /** The word that follows the first backquotes, if any. */
  readonly language: string
  /** All lines, each with its end. */
  readonly text: string
  /** What a comment of one line right before it says. */
  readonly comment?: string
}

/** The blocks of a Markdown document in their order. */
export function fencedBlocks(markdown: string): FencedBlock[] {
  const found = markdown.matchAll(/(?:^<!-- (.*) -->\n+)?^```(\w*)\n([\s\S]*?)^```$/gm)
  return Array.from(found, ([, comment, language, text]) => ({
    language: language!,
    text: text!,
    ...(comment !== undefined && { comment }),
  }))
}
