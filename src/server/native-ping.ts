/** The addon's part in `native/ping.c`: sockets for ICMP echo, for `dgram` to wait on; never blocking. */
export interface NativePing {
  /**
   * The kernel's ping socket for IPv4 or IPv6. Throws `EACCES` where `net.ipv4.ping_group_range`, which is for both,
   * leaves out this process's group.
   */
  openPing(family: 4 | 6): number;
  /** A UDP socket whose one use is to be replaced by `makeRawPing`. */
  openPlainDatagram(family: 4 | 6): number;
  /**
   * Puts a raw ICMP socket in its place that receives echo replies with this identifier and nothing else.
   * Call it in the same turn of the event loop in which `dgram` was given the descriptor. Throws `EPERM` without the
   * capability `CAP_NET_RAW`.
   */
  makeRawPing(descriptor: number, family: 4 | 6, identifier: number): void;
}
