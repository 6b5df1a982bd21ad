export type { Image, ImageChange, ImageDeletion, ImageStore, NewImage } from './image-store.ts'
