/** Metrics in the text format of Prometheus. */
export interface Exposition {
  readonly contentType: string
  readonly body: string
}
