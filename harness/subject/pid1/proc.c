/* proc.c: what we ask /proc, and tell it, where there is one in here. */
#define _GNU_SOURCE
#include "pid1.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

/* Whether a process that has ended, and was not waited for yet, ignored SIGCHLD; -1 if there is no /proc in here. */
int ignored_children(pid_t dead) {
  char line[128];
  unsigned long long ignored = 0;
  snprintf(line, sizeof line, "/proc/%d/status", dead);
  FILE *status = fopen(line, "re");
  if (!status) return -1;
  bool found = false;
  while (!found && fgets(line, sizeof line, status)) found = sscanf(line, "SigIgn: %llx", &ignored) == 1;
  fclose(status);
  return found ? (int)(ignored >> (SIGCHLD - 1) & 1) : -1;
}

/* Should the machine run out of memory, then let the kernel end the program and not the harness: proc(5). */
void prefer_as_oom_victim(void) {
  int score = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (score < 0) return; /* no /proc in here */
  if (write(score, "1000", 4) < 0) errno = 0;
  close(score);
}
