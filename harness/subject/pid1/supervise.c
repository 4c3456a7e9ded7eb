/* supervise.c: reports the calls whose effect /proc does not show, before they run; never changes their result,
 * but for one call of accept(2), if that is what we were started for.
 *
 *   'L' descriptor, backlog           listen(2)
 *   'B' descriptor                    bind(2)
 *   'T' value, interval, now (us)     alarm(2), setitimer(2) with ITIMER_REAL; value 0 disarms, -1 is unknown
 *   'O' inode                         setsockopt(2) of SO_RCVTIMEO or SO_SNDTIMEO; inode 0 is unknown
 *   'A' errno                         accept(2), accept4(2): this one fails, all others are made and not reported
 * L, B and T carry a pidfd of the caller: it is how a pid crosses pid namespaces. What is read here may have
 * changed by the time the call runs; a program that does so deceives itself only.
 */
#define _GNU_SOURCE
#include "pid1.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#ifndef SYS_pidfd_getfd /* headers before Linux 5.6; the number is the same everywhere */
#define SYS_pidfd_getfd 438
#endif
#ifndef SECCOMP_USER_NOTIF_FLAG_CONTINUE
#define SECCOMP_USER_NOTIF_FLAG_CONTINUE 1
#endif

/* The kernel copies its own idea of the structure, which may be larger than ours. */
union notification {
  struct seccomp_notif request;
  char room[512];
};

/* Of a thread too: PIDFD_THREAD (O_EXCL) is Linux 6.9; before that, the thread's process from /proc. */
static int open_pidfd(pid_t thread) {
  int pidfd = (int)syscall(SYS_pidfd_open, thread, 0);
  if (pidfd < 0) pidfd = (int)syscall(SYS_pidfd_open, thread, O_EXCL);
  if (pidfd >= 0) return pidfd;
  char line[128];
  snprintf(line, sizeof line, "/proc/%d/status", thread);
  FILE *status = fopen(line, "re");
  if (!status) return -1;
  int process = -1;
  while (fgets(line, sizeof line, status))
    if (sscanf(line, "Tgid: %d", &process) == 1) break;
  fclose(status);
  return process > 0 ? (int)syscall(SYS_pidfd_open, process, 0) : -1;
}

static int64_t socket_inode(pid_t thread, int descriptor) {
  char path[64], target[64];
  long long inode;
  snprintf(path, sizeof path, "/proc/%d/fd/%d", thread, descriptor);
  ssize_t length = readlink(path, target, sizeof target - 1);
  if (length > 0) {
    target[length] = 0;
    return sscanf(target, "socket:[%lld]", &inode) == 1 ? inode : 0;
  }
  int pidfd = open_pidfd(thread); /* no /proc in here: borrow the descriptor for a moment */
  int copy = pidfd < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, pidfd, descriptor, 0);
  struct stat status;
  inode = copy >= 0 && !fstat(copy, &status) ? (long long)status.st_ino : 0;
  if (copy >= 0) close(copy);
  if (pidfd >= 0) close(pidfd);
  return inode;
}

static int64_t microseconds(struct timeval time) { return (int64_t)time.tv_sec * 1000000 + time.tv_usec; }

static void describe_timer(const struct seccomp_notif *request, struct report *report) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  report->kind = 'T';
  report->number[2] = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
  if (request->data.nr != SYS_setitimer) {
    report->number[0] = (int64_t)(uint32_t)request->data.args[0] * 1000000;
    return;
  }
  struct itimerval timer = {0};
  struct iovec local = {&timer, sizeof timer}, remote = {(void *)(uintptr_t)request->data.args[1], sizeof timer};
  if (request->data.args[1] && process_vm_readv((pid_t)request->pid, &local, 1, &remote, 1, 0) != (ssize_t)sizeof timer) {
    report->number[0] = -1;
    return;
  }
  report->number[0] = microseconds(timer.it_value);
  report->number[1] = microseconds(timer.it_interval);
}

void take_notification(int listener, struct options *options) {
  union notification notification;
  memset(&notification, 0, sizeof notification);
  if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &notification)) return; /* the caller was killed meanwhile */
  const struct seccomp_notif *request = &notification.request;
  struct outgoing out = {.report = {.pid = (int32_t)request->pid}, .descriptor = -1, .listener = listener, .notification = request->id};
  struct report *report = &out.report;
  pid_t caller = (pid_t)request->pid;
  switch (request->data.nr) {
  case SYS_listen:
    report->kind = 'L';
    report->number[1] = (int32_t)request->data.args[1];
    break;
  case SYS_bind:
    report->kind = 'B';
    break;
  case SYS_setsockopt:
    report->kind = 'O';
    break;
  case SYS_accept:
  case SYS_accept4:
    if (!options->failing_accept) {
      answer_notification(listener, request->id, 0);
      return;
    }
    options->failing_accept = false;
    report->kind = 'A';
    report->number[0] = out.error = ECONNABORTED;
    break;
  default:
    describe_timer(request, report);
  }
  if (report->kind == 'O') {
    report->number[0] = socket_inode(caller, (int)request->data.args[0]);
  } else if (report->kind != 'A') {
    if (report->kind != 'T') report->number[0] = (int32_t)request->data.args[0];
    out.descriptor = open_pidfd(caller);
  }
  enqueue(out);
}

void answer_notification(int listener, uint64_t id, int error) {
  union {
    struct seccomp_notif_resp response;
    char room[512];
  } answer;
  memset(&answer, 0, sizeof answer);
  answer.response.id = id;
  if (error) answer.response.error = -error;
  else answer.response.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
  ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
}
