/* behave MODE [argument]: one behaviour per mode, for the tests of the launcher, the sandbox and our pid 1. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static void say(const char *word) { dprintf(1, "%s\n", word); }
static void wait_forever(void) { for (;;) pause(); }
static void ignore_everything(void) {
  for (int number = 1; number < 65; number++) signal(number, SIG_IGN);
}
static void *sleep_thread(void *unused) {
  say("ready");
  wait_forever();
  return unused;
}
static int listener(int port) {
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int s = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(s, (struct sockaddr *)&at, sizeof at) || listen(s, 7)) return -1;
  return s;
}

int main(int argc, char **argv) {
  const char *mode = argc > 1 ? argv[1] : "";
  int number = argc > 2 ? atoi(argv[2]) : 0;
  if (!strcmp(mode, "exit")) return number;
  if (!strcmp(mode, "raise")) { raise(number); return 99; }
  if (!strcmp(mode, "abort")) abort();
  if (!strcmp(mode, "sigpipe")) {
    int ends[2];
    if (pipe(ends) || close(ends[0])) return 98;
    return write(ends[1], "x", 1) < 0 ? 97 : 96;
  }
  if (!strcmp(mode, "first-descriptor")) return socket(AF_INET, SOCK_STREAM, 0);
  if (!strcmp(mode, "descriptors")) {
    int open_ones = 0;
    for (int fd = 0; fd < 1024; fd++) open_ones += fcntl(fd, F_GETFD) >= 0;
    return open_ones;
  }
  if (!strcmp(mode, "pause")) { say("ready"); wait_forever(); }
  if (!strcmp(mode, "handler")) { signal(SIGTERM, _exit); say("ready"); wait_forever(); }
  if (!strcmp(mode, "ignore")) { ignore_everything(); say("ready"); wait_forever(); }
  if (!strcmp(mode, "daemon")) {
    if (fork() == 0) {
      setsid();
      ignore_everything();
      if (fork() == 0) { say("ready"); close(1); close(2); wait_forever(); }
      _exit(0);
    }
    wait(NULL);
    return 0;
  }
  if (!strcmp(mode, "children")) {
    for (int i = 0; i < number; i++) if (fork() == 0) wait_forever();
    say("ready");
    wait_forever();
  }
  if (!strcmp(mode, "bomb")) {
    say("ready");
    for (;;) if (fork() < 0) usleep(1000);
  }
  if (!strcmp(mode, "hydra")) for (;;) if (fork()) _exit(0); /* forks and exits for ever: a new pid each time */
  if (!strcmp(mode, "flood")) {
    static char block[1 << 16];
    for (;;) if (write(1, block, sizeof block) < 0) return 1;
  }
  if (!strcmp(mode, "memory")) {
    for (;;) { char *block = malloc(4 << 20); if (!block) return 95; memset(block, 1, 4 << 20); }
  }
  if (!strcmp(mode, "zombie")) {
    pid_t child = fork();
    if (child == 0) _exit(0);
    siginfo_t info;
    waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT);
    say("ready");
    wait_forever();
  }
  if (!strcmp(mode, "leaderless")) {
    pthread_t thread;
    pthread_create(&thread, NULL, sleep_thread, NULL);
    pthread_exit(NULL);
  }
  if (!strcmp(mode, "alarm")) { alarm((unsigned)number); say("ready"); wait_forever(); }
  if (!strcmp(mode, "disarm")) { alarm(100); alarm(0); say("ready"); wait_forever(); }
  if (!strcmp(mode, "itimer") || !strcmp(mode, "periodic")) {
    struct itimerval timer = {.it_value = {.tv_usec = 1000 * number}};
    if (!strcmp(mode, "periodic")) timer.it_interval = timer.it_value;
    signal(SIGALRM, _exit);
    setitimer(ITIMER_REAL, &timer, NULL);
    say("ready");
    wait_forever();
  }
  if (!strcmp(mode, "timeout")) {
    struct timeval limit = {.tv_sec = 100};
    int s = socket(AF_INET, SOCK_DGRAM, 0);
    char link[64], target[64] = "";
    setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    snprintf(link, sizeof link, "/proc/self/fd/%d", s);
    if (readlink(link, target, sizeof target - 1) < 0) strcpy(target, "no /proc");
    say(target);
    wait_forever();
  }
  if (!strcmp(mode, "listen")) { if (listener(number) < 0) return errno; say("ready"); wait_forever(); }
  if (!strcmp(mode, "zombies") || !strcmp(mode, "no-zombies")) {
    siginfo_t dead;
    if (!strcmp(mode, "no-zombies")) signal(SIGCHLD, SIG_IGN);
    for (int i = 0; i < number; i++) {
      pid_t child = fork();
      if (!child) _exit(0);
      waitid(P_PID, (id_t)child, &dead, WEXITED | WNOWAIT);
    }
    return 0;
  }
  if (!strcmp(mode, "accept")) {
    int s = listener(number);
    if (accept(s, NULL, NULL) < 0) say(errno == ECONNABORTED ? "ready" : strerror(errno));
    return accept4(s, NULL, NULL, 0) < 0 ? errno : 0;
  }
  if (!strcmp(mode, "call-flood")) { int s = socket(AF_INET, SOCK_STREAM, 0); for (int i = 0; i < number; i++) listen(s, i & 7); say("ready"); wait_forever(); }
  if (!strcmp(mode, "copy")) { char c; while (read(0, &c, 1) == 1) if (write(1, &c, 1) != 1) return 1; return 0; }
  if (!strcmp(mode, "splice")) { int pair[2]; socketpair(AF_UNIX, SOCK_STREAM, 0, pair); say("ready"); while (splice(0, NULL, pair[0], NULL, 1 << 16, 0) > 0); return 0; }
  if (!strcmp(mode, "iouring")) { syscall(SYS_io_uring_setup, 1, NULL); return errno == ENOSYS ? 0 : 1; }
  if (!strcmp(mode, "unshare")) { errno = 0; syscall(SYS_unshare, 0x10000000); return errno == EPERM ? 0 : 1; }
  if (!strcmp(mode, "vsock")) { errno = 0; socket(40, SOCK_STREAM, 0); return errno == EAFNOSUPPORT ? 0 : 1; }
  if (!strcmp(mode, "kill-all")) { kill(-1, SIGKILL); kill(1, SIGKILL); kill(getppid(), SIGKILL); say("alive"); return 0; }
  return 2;
}
