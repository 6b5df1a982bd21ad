/** What a kill may do to a call or an object, and why that is right. All else is a fault. */
export const consequences = {
  'call cut off':
    'A call while the server or the supervisor is away is `unavailable`. It may have had its effect.',
  'half made': 'What a call has made before it was cut off is there, and is removed as any other.',
  'lease left': 'The lease of a client whose call was cut off stays until it expires or is deleted.',
  'output lost': 'Input and output of a process end where server and supervisor are killed at the same time.',
  'status unknown':
    'Of a process that ends while neither server nor supervisor is there nobody knows the status: 255 is told.',
  'left paused': 'A container stays paused if the server is killed while it pauses, resumes or captures it.',
} as const

/** The name of a consequence. */
export type Consequence = keyof typeof consequences

/** What has happened in a namespace, at an operation. */
export interface Fault {
  readonly namespace: string
  readonly operation: string
  readonly message: string
}

/** What happened during a soak. */
export class Account {
  readonly operations: Record<string, number> = {}
  readonly consequences: Partial<Record<Consequence, number>> = {}
  readonly faults: Fault[] = []

  done(operation: string): void {
    this.operations[operation] = (this.operations[operation] ?? 0) + 1
  }

  suffered(consequence: Consequence): void {
    this.consequences[consequence] = (this.consequences[consequence] ?? 0) + 1
  }

  fault(fault: Fault): void {
    this.faults.push(fault)
  }
}
