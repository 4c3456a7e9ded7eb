/* child.c: the last steps of the child before it becomes the program. */
#define _GNU_SOURCE
#include "pid1.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static _Noreturn void fail(int link, char step) {
  struct prepared report = {.error = errno, .step = step, .canary = -1};
  send_descriptor(link, &report, sizeof report, -1, 0);
  _exit(127);
}

/* Ignored signals would survive the exec (Python, for one, ignores SIGPIPE): the program gets the defaults. */
static void default_signals(void) {
  struct sigaction action = {.sa_handler = SIG_DFL};
  for (int number = 1; number <= SIGRTMAX; number++) sigaction(number, &action, NULL);
}

static void set_limits(const struct options *options, int link) {
  for (int i = 0; i < options->limit_count; i++)
    if (setrlimit((__rlimit_resource_t)options->limits[i].resource, &options->limits[i].value)) fail(link, 'r');
}

static void drop_user(uid_t uid, int link) {
  gid_t gid = (gid_t)uid;
  if (setgroups(0, NULL) || setresgid(gid, gid, gid) || setresuid(uid, uid, uid)) fail(link, 'u');
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct none[2] = {{0}}; /* the inheritable set, too, which a change of user leaves alone */
  if (syscall(SYS_capset, &header, none)) fail(link, 'c');
}

_Noreturn void become_program(const struct options *options, const int stdio[3], int link) {
  int flags = 0;
  for (int i = 0; i < 3; i++)
    if (dup2(stdio[i], i) < 0) fail(link, 'i');
  setsid();
  default_signals();
  if (options->directory && chdir(options->directory)) fail(link, 'd');
  set_limits(options, link);
  if (options->uid) drop_user(options->uid, link);
  pid_t canary = options->canary ? start_canary() : -1;
  if (options->reaper) prctl(PR_SET_PDEATHSIG, SIGKILL); /* after the change of user, which would forget it */
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) fail(link, 'n');
  if (options->readable_count && confine_files(options, &flags)) fail(link, 'l');
  int listener = install_filter(options, &flags);
  struct prepared report = {.flags = flags, .canary = canary};
  if (!send_descriptor(link, &report, sizeof report, listener, 0)) _exit(126);
  if (listener >= 0) close(listener);

  char go;
  ssize_t got;
  do got = recv(link, &go, 1, 0);
  while (got < 0 && errno == EINTR);
  if (got != 1) _exit(126);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  for (int i = 0; i < 3; i++)
    if (options->closed[i]) close(i);
  if (strchr(options->program[0], '/')) execv(options->program[0], options->program);
  else execvp(options->program[0], options->program);
  fail(link, 'x');
}
