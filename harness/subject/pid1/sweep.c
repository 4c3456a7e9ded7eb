/* sweep.c: ends every descendant where no pid namespace does it for us; orphans come to us, we are their subreaper. */
#define _GNU_SOURCE
#include "pid1.h"

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DEEPEST = 64 };

/* Kills the descendants of a process, proc(5): /proc/PID/task/TID/children. Returns how many were found. */
static int kill_below(pid_t process, int depth) {
  char path[64];
  int found = 0;
  snprintf(path, sizeof path, "/proc/%d/task", process);
  DIR *threads = depth < DEEPEST ? opendir(path) : NULL;
  if (!threads) return 0;
  for (struct dirent *entry; (entry = readdir(threads));) {
    int thread = atoi(entry->d_name), child;
    if (thread <= 0) continue;
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", process, thread);
    FILE *children = fopen(path, "re");
    if (!children) continue;
    while (fscanf(children, "%d", &child) == 1) {
      kill(child, SIGSTOP); /* so that it forks no more while we look below it */
      kill_below(child, depth + 1);
      kill(child, SIGKILL);
      found++;
    }
    fclose(children);
  }
  closedir(threads);
  return found;
}

void kill_all_descendants(pid_t program) {
  char path[64];
  snprintf(path, sizeof path, "/proc/self/task/%d/children", getpid());
  if (access(path, R_OK)) { /* a kernel without it: the process group must do */
    kill(-program, SIGKILL);
    return;
  }
  for (;;) {
    int killed = kill_below(getpid(), 0);
    /* Blocks only for somebody whom we have just killed; otherwise an orphan is on its way to us: look again. */
    pid_t reaped = waitpid(-1, NULL, killed ? __WALL : WNOHANG | __WALL);
    if (reaped < 0 && errno == ECHILD) return;
    while (waitpid(-1, NULL, WNOHANG | __WALL) > 0) continue;
    if (!killed) sched_yield();
  }
}
