#ifndef MERIDIAN_UDP_H
#define MERIDIAN_UDP_H

/*
 * UDP in batches: one call sends the answers of the last batch and receives the next queries.
 *
 *     slab        SLOT_OCTETS for each slot: the query as it came, and the answer in its place
 *     control     CONTROL_WORDS for each slot, see CONTROL_…
 *                 and behind the last slot TOTAL_WORDS
 *     addresses   ADDRESS_OCTETS for each slot: the client's address, 4 or 16 octets in network order
 *
 * All queries of one batch come from one socket, and the sockets take turns. Answers of one batch that go to the same
 * client and have the same length leave as one segmented send (UDP_SEGMENT), so the way through the network stack is
 * paid once for all of them.
 */
#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>

enum {
  MAX_SLOTS = 256,
  /* A query of any sense, and an answer. Not a power of two: the heads of all slots would share a few cache sets. */
  SLOT_OCTETS = 2112,
  ADDRESS_OCTETS = 16,
  CONTROL_WORDS = 4,
  CONTROL_REQUEST_LENGTH = 0,
  CONTROL_ANSWER_LENGTH = 1,
  CONTROL_FAMILY = 2,
  CONTROL_PORT = 3,
  /* Since the batch was made; 32 bits that wrap. */
  TOTAL_WORDS = 3,
  TOTAL_SEND_FAILURES = 0,
  TOTAL_SEGMENTED_SENDS = 1,
  TOTAL_QUEUE_OVERFLOWS = 2,
  /* In place of the length of a request that is not to be answered. */
  DROPPED_PORT_ZERO = -1,
  DROPPED_TOO_LONG = -2,
  /* At least MAX_LISTEN_ADDRESSES of `src/settings/listen-addresses.ts`. */
  MAX_SOCKETS = 128,
  /* Twice the slots, so that a search in the table of groups ends soon. */
  GROUP_TABLE = 512,
  RECEIVE_CONTROL_OCTETS = 128,
  SEND_CONTROL_OCTETS = 128,
  /* With its headers the least MTU of IPv6; what is longer is seldom, and would be refused on a narrow link. */
  LONGEST_SEGMENT_OCTETS = 1232,
};

typedef struct {
  int fd;
  /* Bound to the wildcard address: answers name the address that was asked as their source. */
  int wildcard;
  /* Octets of an answer that may leave as a segment, as far as is known; 0 where none may. */
  uint32_t longest_segment;
  /* What the kernel has counted as lost for want of room in the queue, when it was last asked. */
  uint32_t overflows;
} UdpSocket;

/* Answers to one client with one length: slots in a chain. */
typedef struct {
  int first;
  int last;
  int count;
} Group;

typedef struct {
  uint8_t *slab;
  int32_t *control;
  uint8_t *addresses;
  int slots;
  int wake;
  UdpSocket sockets[MAX_SOCKETS];
  int socket_count;
  /* Whose turn it is to be read first, and whose queries the batch at hand holds: -1 for nobody's. */
  int turn;
  int current;
  /* How many queries the last exchange received, and how many there have been. */
  int last_count;
  uint32_t exchanges;
  uint32_t *totals;
  struct sockaddr_storage names[MAX_SLOTS];
  struct iovec receive_parts[MAX_SLOTS];
  struct mmsghdr received[MAX_SLOTS];
  _Alignas(16) uint8_t receive_controls[MAX_SLOTS][RECEIVE_CONTROL_OCTETS];
  struct iovec send_parts[MAX_SLOTS];
  struct mmsghdr sends[MAX_SLOTS];
  _Alignas(16) uint8_t send_controls[MAX_SLOTS][SEND_CONTROL_OCTETS];
  Group groups[MAX_SLOTS];
  int16_t group_table[GROUP_TABLE];
  int16_t next_in_group[MAX_SLOTS];
} UdpBatch;

static inline int32_t *udp_control_of(UdpBatch *batch, int slot) { return batch->control + CONTROL_WORDS * slot; }

/** Sends the answers in the first `count` slots to where the batch at hand came from. */
void udp_send(UdpBatch *batch, int count);
/** Receives the next batch, waiting for it up to that time; returns how many queries it has. */
int udp_receive(UdpBatch *batch, int timeout_ms);
/** Returns 0; -1 with errno set where there is no room or it is no socket. */
int udp_add(UdpBatch *batch, int fd);
/** Closes it, too; -1 where it is none of the batch's. */
int udp_remove(UdpBatch *batch, int fd);

#endif
