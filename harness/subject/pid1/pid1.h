/* pid1.h: what the files of our pid 1 share: the options, the reports, one function per file.
 *
 * Usage: pid1 CONTROL [option...] -- program [argument...]
 * CONTROL is one end of an AF_UNIX SOCK_SEQPACKET pair; the harness holds the other one.
 *
 *   harness -> pid 1   'F' + three descriptors    standard input, output, error of the program
 *   pid 1 -> harness   'P' pid, flags + pidfd     the program is prepared, one step before its exec
 *   harness -> pid 1   'G'                        go
 *   pid 1 -> harness   'K' pid, 0 + pidfd         the canary lives
 *   pid 1 -> harness   'D' pid, raw wait status   the canary has died
 *   pid 1 -> harness   'X'                        exec worked
 *   pid 1 -> harness   'E' errno, step            could not be started
 *   pid 1 -> harness   'L' 'B' 'T' 'O'            the program is about to call ... (supervise.c)
 *   pid 1 -> harness   'A' errno                  a call of accept(2) is about to fail, as we were told (supervise.c)
 *   pid 1 -> harness   'I' 0 or 1                 whether the program, which has ended, ignored SIGCHLD (only with --orphans)
 *   pid 1 -> harness   'S' raw wait status, usage the program has ended
 *   pid 1 -> harness   'R' raw wait status, usage an orphan of the program has ended (a daemon is one)
 *   pid 1 -> harness   'H'                        nothing of the program's tree is alive any more
 *   harness -> pid 1   'Q' or end of file         end: everything inside is killed
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

enum { MOST_LIMITS = 12, MOST_PATHS = 64 };

struct limit {
  int resource;
  struct rlimit value;
};

struct options {
  int control;             /* descriptor of the control socket */
  uid_t uid;               /* become this user (and group); 0: stay who we are */
  bool reaper;             /* no pid namespace: be a subreaper and sweep up by hand */
  bool closed[3];          /* start the program with these descriptors closed */
  bool canary;             /* put an innocent process into the program's process group */
  bool supervise;          /* report the calls that /proc cannot show */
  bool orphans;            /* report how orphans end */
  bool failing_accept;     /* the first accept(2) fails with ECONNABORTED */
  const char *directory;   /* working directory of the program */
  struct limit limits[MOST_LIMITS];
  int limit_count;
  const char *readable[MOST_PATHS], *writable[MOST_PATHS]; /* Landlock; none at all: do not use it */
  int readable_count, writable_count;
  char **program;          /* argv of the program */
};

enum { FLAG_SUPERVISED = 1, FLAG_HARDENED = 2, FLAG_LANDLOCKED = 4 };

/* A message to the harness; the meaning of the numbers depends on the kind. */
struct report {
  char kind;
  char padding[3];
  int32_t pid;
  int64_t number[4];
};

/* A report on its way, with the notification to answer once the harness is sure to read the report first. */
struct outgoing {
  struct report report;
  int descriptor;     /* sent along and closed; -1: none */
  int listener;       /* answer `notification` of this seccomp listener after sending; -1: none */
  uint64_t notification;
  int error;          /* errno with which the call fails; 0: it is made */
};

/* options.c */
bool parse_options(int argc, char **argv, struct options *options);

/* control.c: never blocks; what does not fit into the socket waits in a short queue. */
ssize_t receive_descriptors(int socket, char *kind, int *descriptors, int count);
bool send_descriptor(int socket, const void *data, size_t size, int descriptor, int flags);
void enqueue(struct outgoing out);
void flush_queue(int control);
bool queue_is_empty(void);
bool has_room(void); /* for one of those reports of which there may be many */

/* child.c: what the child tells pid 1 before its exec (error == 0: prepared). */
struct prepared {
  int error;
  char step;
  int flags;
  pid_t canary; /* -1: none */
};
_Noreturn void become_program(const struct options *options, const int stdio[3], int link);

/* filter.c: the listener's descriptor, -1 if there is none; sets FLAG_* bits of what was installed. */
int install_filter(const struct options *options, int *flags);

/* canary.c */
pid_t start_canary(void);

/* landlock.c */
int confine_files(const struct options *options, int *flags);

/* supervise.c */
void take_notification(int listener, struct options *options);
void answer_notification(int listener, uint64_t id, int error);

/* proc.c */
int ignored_children(pid_t dead);
void prefer_as_oom_victim(void);

/* sweep.c */
void kill_all_descendants(pid_t program);
