/** A ref for a message: as it is if it is plain and short, else quoted and cut, so that it cannot forge log lines. */
export function showRef(ref: string): string {
  if (/^[\x21-\x7e]{1,256}$/.test(ref)) return ref
  return JSON.stringify(ref.length > 256 ? `${ref.slice(0, 256)}…` : ref)
}
