/**
 * The system's clock, in milliseconds since 1970. It may be set back: what must not go back, such as the time of an
 * update, is held against what was there before; expiry is about the true time, so it goes by this clock as it is.
 */
export type Clock = () => number
