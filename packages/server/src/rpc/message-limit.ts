/** The most bytes of one message, either way (BEHAVIOUR.md §1). */
export const maxMessageBytes = 16 << 20
