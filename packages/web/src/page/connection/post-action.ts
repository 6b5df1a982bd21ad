/**
 * Has the server do what takes more than calls: it needs files of its own, or streams that a browser cannot have.
 *
 * @throws an error with the server's words
 */
export async function postAction(
  action: 'checkpoint' | 'fork',
  parameters: Readonly<Record<string, string>>,
): Promise<void> {
  const response = await fetch(`/${action}?${new URLSearchParams(parameters)}`, { method: 'POST' })
  if (!response.ok) throw new Error((await response.text()) || `the server answered ${response.status}`)
}
