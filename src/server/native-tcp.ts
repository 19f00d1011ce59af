/** The addon's part in `native/tcp.c`. */
// biome-ignore lint/suspicious/noEmptyInterface: to be filled
export interface NativeTcp {}
