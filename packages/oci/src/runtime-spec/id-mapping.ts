/** A range of ids inside a user namespace, and where it begins outside. */
export interface IdMapping {
  readonly containerID: number
  readonly hostID: number
  readonly size: number
}
