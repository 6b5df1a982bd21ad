/** Stands for a version of V8 in the name of a file that has no compiled code yet. */
export const placeholder = 0
