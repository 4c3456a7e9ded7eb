/* main.c: our pid 1 of a program under test: starts it, tells how it ended, reports what it is about to do, ends it. */
#define _GNU_SOURCE
#include "pid1.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static struct options options;
static pid_t program, canary = -1;
static int signals, link_to_child, listener = -1;
static bool dead_left; /* there may be dead that we have not taken note of */

static _Noreturn void end(int status) {
  if (options.reaper) kill_all_descendants(program);
  _exit(status); /* as init of a pid namespace: the kernel kills everything in it */
}

static void report(char kind, int32_t pid, int64_t first, int64_t second, int descriptor) {
  enqueue((struct outgoing){.report = {.kind = kind, .pid = pid, .number = {first, second}}, .descriptor = descriptor, .listener = -1});
}

/* The child says "prepared" (with the seccomp listener) or why it failed; end of file means that exec has worked. */
static void hear_child(void) {
  struct prepared said;
  struct iovec data = {&said, sizeof said};
  union {
    char bytes[CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
  } control;
  struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
  ssize_t got = recvmsg(link_to_child, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got != (ssize_t)sizeof said || said.error) {
    if (got == (ssize_t)sizeof said) report('E', program, said.error, said.step, -1);
    else report('X', program, 0, 0, -1);
    close(link_to_child);
    link_to_child = -1;
    return;
  }
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  if (header && header->cmsg_type == SCM_RIGHTS) listener = *(int *)(void *)CMSG_DATA(header);
  canary = said.canary;
  if (canary >= 0) report('K', canary, 0, 0, (int)syscall(SYS_pidfd_open, canary, 0));
  report('P', program, said.flags, 0, (int)syscall(SYS_pidfd_open, program, 0));
}

static void hear_harness(void) {
  char order;
  ssize_t got = recv(options.control, &order, 1, MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0 || order == 'Q') end(0);
  if (order == 'G' && link_to_child >= 0) send(link_to_child, &order, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static int64_t microseconds(struct timeval time) { return (int64_t)time.tv_sec * 1000000 + time.tv_usec; }

/* Takes note of the dead as long as there is room for what is to be said of them; the rest keeps. */
static void reap(void) {
  struct signalfd_siginfo ignored;
  struct rusage usage;
  siginfo_t next;
  int status;
  while (read(signals, &ignored, sizeof ignored) > 0) continue;
  for (;;) {
    next.si_pid = 0;
    dead_left = !has_room();
    if (dead_left || waitid(P_ALL, 0, &next, WEXITED | WNOHANG | WNOWAIT | __WALL) || !next.si_pid) return;
    pid_t dead = next.si_pid;
    int ignores = dead == program && options.orphans ? ignored_children(dead) : -1; /* its signal actions are kept until wait4() */
    if (wait4(dead, &status, WNOHANG | __WALL, &usage) != dead) continue;
    if (dead == canary) report('D', dead, status, 0, -1);
    if (dead != program && (!options.orphans || dead == canary)) continue;
    if (link_to_child >= 0) hear_child(); /* what it said before it died comes first */
    if (ignores >= 0) report('I', dead, ignores, 0, -1);
    struct outgoing out = {.report = {.kind = dead == program ? 'S' : 'R', .pid = dead}, .descriptor = -1, .listener = -1};
    out.report.number[0] = status;
    out.report.number[1] = microseconds(usage.ru_utime);
    out.report.number[2] = microseconds(usage.ru_stime);
    out.report.number[3] = usage.ru_maxrss;
    enqueue(out);
  }
}

static void serve(void) {
  for (;;) {
    flush_queue(options.control);
    while (dead_left && queue_is_empty()) {
      reap();
      flush_queue(options.control);
    }
    bool idle = queue_is_empty();
    struct pollfd watched[4] = {
        {options.control, (short)(POLLIN | (idle ? 0 : POLLOUT)), 0},
        {signals, POLLIN, 0},
        {link_to_child, POLLIN, 0},
        {idle ? listener : -1, POLLIN, 0}, /* one call at a time: the harness has to keep up */
    };
    if (poll(watched, 4, -1) < 0) continue;
    if (watched[0].revents & ~POLLOUT) hear_harness();
    if (watched[2].revents) hear_child();
    if (watched[1].revents) reap();
    if (watched[3].revents & POLLIN) {
      take_notification(listener, &options);
    } else if (watched[3].revents & (POLLHUP | POLLERR)) {
      report('H', 0, 0, 0, -1);
      close(listener);
      listener = -1;
    }
  }
}

int main(int argc, char **argv) {
  int stdio[3], link[2];
  char kind;
  if (!parse_options(argc, argv, &options)) return 125;
  if (fcntl(options.control, F_SETFD, FD_CLOEXEC)) return 124;
  prefer_as_oom_victim();
  prctl(PR_SET_DUMPABLE, 0); /* perhaps the same user as the program: no ptrace, no /proc/1/fd for it */
  if (options.reaper && prctl(PR_SET_CHILD_SUBREAPER, 1)) return 124;
  sigset_t all, children;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, NULL);
  sigemptyset(&children);
  sigaddset(&children, SIGCHLD);
  signals = signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
  /* Standard input and output come over the socket, not by inheritance: nobody but the program keeps a copy. */
  if (signals < 0 || receive_descriptors(options.control, &kind, stdio, 3) != 1 || kind != 'F') return 123;
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, link)) return 124;
  program = fork();
  if (program < 0) return 122;
  if (program == 0) {
    close(link[0]);
    become_program(&options, stdio, link[1]);
  }
  link_to_child = link[0];
  close(link[1]);
  for (int i = 0; i < 3; i++) close(stdio[i]);
  serve();
}
