/** Sheets that the bundler puts into the page's own. */
declare module '*.css'
