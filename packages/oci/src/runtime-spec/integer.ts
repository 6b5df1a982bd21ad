/** An integer of the specification's, a bigint if a double cannot hold it. */
export type Integer = number | bigint
