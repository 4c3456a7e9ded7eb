/* canary.c: an innocent process in the program's process group, as the shell is that starts a server from a script.
 * A kill(0, ...) or kill(-1, ...) of the program would hit it. */
#define _GNU_SOURCE
#include "pid1.h"

#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Called by the child in its own session, before it becomes the program. The canary's parent ends at once, so
 * that it becomes a child of pid 1 and no wait() of the program ever sees it. -1: there is none. */
pid_t start_canary(void) {
  int tell[2];
  pid_t canary = -1;
  if (pipe(tell)) return -1;
  pid_t between = fork();
  if (between == 0) {
    pid_t innocent = fork();
    if (innocent != 0) {
      if (write(tell[1], &innocent, sizeof innocent) < 0) _exit(1);
      _exit(0);
    }
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (syscall(SYS_close_range, 0U, ~0U, 0U)) _exit(1);
    for (;;) pause(); /* no handler: any signal that ends a process ends it */
  }
  close(tell[1]);
  if (between > 0 && read(tell[0], &canary, sizeof canary) != (ssize_t)sizeof canary) canary = -1;
  if (between > 0) waitpid(between, NULL, 0);
  close(tell[0]);
  return canary;
}
