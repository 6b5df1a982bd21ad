/**
 * The protocols between clients and supervisors that this build speaks, the preferred one first. A supervisor outlives
 * upgrades of its client, so a protocol that has been released stays in this list. Adding a field that may be absent needs
 * no new number.
 */
export const protocols: readonly number[] = [1]
