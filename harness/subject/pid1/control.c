/* control.c: messages between pid 1 and the harness (or the child), with descriptors; never blocks on a full socket. */
#define _GNU_SOURCE
#include "pid1.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* At most one P, X, E, S, I, H, K and D each, one report of a call (the next one is only taken when the queue is empty),
 * and as many R as there is room for besides these: whoever died last is waited for later. */
enum { MOST_QUEUED = 16, OTHERS = 9 };
static struct outgoing queue[MOST_QUEUED];
static int queued;

ssize_t receive_descriptors(int socket, char *kind, int *descriptors, int count) {
  struct iovec data = {kind, 1};
  union {
    char bytes[CMSG_SPACE(3 * sizeof(int))];
    struct cmsghdr align;
  } control;
  struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
  ssize_t got;
  do got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  while (got < 0 && errno == EINTR);
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  if (got <= 0 || !header || header->cmsg_type != SCM_RIGHTS || header->cmsg_len != CMSG_LEN((size_t)count * sizeof(int))) return -1;
  memcpy(descriptors, CMSG_DATA(header), (size_t)count * sizeof(int));
  return got;
}

bool send_descriptor(int socket, const void *bytes, size_t size, int descriptor, int flags) {
  struct iovec data = {(void *)(uintptr_t)bytes, size};
  union {
    char bytes[CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
  } control;
  struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};
  if (descriptor >= 0) {
    memset(&control, 0, sizeof control);
    message.msg_control = control.bytes;
    message.msg_controllen = sizeof control.bytes;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
  }
  return sendmsg(socket, &message, MSG_NOSIGNAL | flags) >= 0;
}

bool queue_is_empty(void) { return queued == 0; }

bool has_room(void) { return queued + OTHERS < MOST_QUEUED; }

void enqueue(struct outgoing out) {
  if (queued < MOST_QUEUED) queue[queued++] = out;
}

/* Sends what fits. The caller of a supervised call goes on only when the report of its call is in the harness's queue. */
void flush_queue(int control) {
  while (queued) {
    struct outgoing *first = &queue[0];
    bool sent = send_descriptor(control, &first->report, sizeof first->report, first->descriptor, MSG_DONTWAIT);
    if (!sent && errno == ETOOMANYREFS) sent = send_descriptor(control, &first->report, sizeof first->report, -1, MSG_DONTWAIT);
    if (!sent && (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS)) return;
    if (first->descriptor >= 0) close(first->descriptor);
    if (first->listener >= 0) answer_notification(first->listener, first->notification, first->error);
    memmove(queue, queue + 1, (size_t)--queued * sizeof *queue);
  }
}
