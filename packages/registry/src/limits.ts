/** Timeouts and retries of a client. */
export interface RegistryLimits {
  /** Milliseconds to open a connection, its TLS handshake included; 10,000 by default. */
  readonly connectTimeout: number
  /** Milliseconds from a request to the head of its answer; 60,000 by default. */
  readonly headersTimeout: number
  /** Milliseconds that a registry may take to accept a piece of an upload, and then to answer; 300,000 by default. */
  readonly uploadTimeout: number
  /** Milliseconds between two pieces of a body; 30,000 by default. */
  readonly idleTimeout: number
  /** Minimum bytes per second of a body, measured over `rateWindow`; 1,024 by default. */
  readonly minimumRate: number
  /** Milliseconds over which the rate is measured, without the time in which the reader was busy; 30,000 by default. */
  readonly rateWindow: number
  /** Milliseconds that getting a token may take in all, credentials included; 60,000 by default. */
  readonly tokenTimeout: number
  /** Tries of a request, or of a download without progress, at each host; 5 by default. */
  readonly attempts: number
  /** Milliseconds before the second try, doubled for each further one; 200 by default. */
  readonly retryDelay: number
  /** Most milliseconds between two tries, whatever the server asks for; 30,000 by default. */
  readonly maxRetryDelay: number
  /** Connections to one origin; 8 by default. */
  readonly connections: number
}

export const defaultLimits: RegistryLimits = {
  connectTimeout: 10_000,
  headersTimeout: 60_000,
  uploadTimeout: 300_000,
  idleTimeout: 30_000,
  minimumRate: 1024,
  rateWindow: 30_000,
  tokenTimeout: 60_000,
  attempts: 5,
  retryDelay: 200,
  maxRetryDelay: 30_000,
  connections: 8,
}
