/** The addon's part in `native/notify.c`. */
export interface NativeNotify {
  /**
   * Sends one datagram, at most 4,095 octets, to a unix socket; a path that begins with `@` is a name in the abstract
   * namespace.
   */
  notify(path: string, text: string): void;
}
