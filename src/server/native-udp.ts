/** The addon's part in `native/udp.c`. */
// biome-ignore lint/suspicious/noEmptyInterface: to be filled
export interface NativeUdp {}
