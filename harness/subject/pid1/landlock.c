/* landlock.c: confinement of files, signals and abstract sockets where there are no namespaces (Linux 5.13 and later). */
#define _GNU_SOURCE
#include "pid1.h"

#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif

/* landlock(7); our own copy of the structures, since older headers lack the newer fields. */
struct ruleset {
  uint64_t files, network, scopes;
};
struct beneath {
  uint64_t allowed;
  int32_t parent;
} __attribute__((packed));

enum { QUERY_VERSION = 1, PATH_BENEATH = 1, EXECUTE = 1, WRITE_FILE = 2, READ_FILE = 4, READ_DIRECTORY = 8 };
enum { REFER = 1 << 13, TRUNCATE = 1 << 14, DEVICE_CONTROL = 1 << 15, SCOPE_ABSTRACT_AND_SIGNAL = 3 };

static uint64_t rights(int version) {
  uint64_t all = (1 << 13) - 1; /* everything of version 1 */
  if (version >= 2) all |= REFER;
  if (version >= 3) all |= TRUNCATE;
  if (version >= 5) all |= DEVICE_CONTROL;
  return all;
}

static void allow(int ruleset, const char *path, uint64_t allowed) {
  struct stat status;
  struct beneath rule = {.parent = open(path, O_PATH | O_CLOEXEC)};
  if (rule.parent < 0) return; /* not on this machine: nothing to allow */
  if (!fstat(rule.parent, &status) && !S_ISDIR(status.st_mode))
    allowed &= EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | DEVICE_CONTROL;
  rule.allowed = allowed;
  syscall(SYS_landlock_add_rule, ruleset, PATH_BENEATH, &rule, 0);
  close(rule.parent);
}

int confine_files(const struct options *options, int *flags) {
  long version = syscall(SYS_landlock_create_ruleset, NULL, 0, QUERY_VERSION);
  if (version < 1) return -1;
  struct ruleset wanted = {.files = rights((int)version), .scopes = version >= 6 ? SCOPE_ABSTRACT_AND_SIGNAL : 0};
  size_t size = version < 4 ? 8 : version < 6 ? 16 : 24;
  int ruleset = (int)syscall(SYS_landlock_create_ruleset, &wanted, size, 0);
  if (ruleset < 0) return -1;
  for (int i = 0; i < options->readable_count; i++)
    allow(ruleset, options->readable[i], EXECUTE | READ_FILE | READ_DIRECTORY);
  for (int i = 0; i < options->writable_count; i++) allow(ruleset, options->writable[i], wanted.files);
  long failed = syscall(SYS_landlock_restrict_self, ruleset, 0);
  close(ruleset);
  if (!failed) *flags |= FLAG_LANDLOCKED;
  return failed ? -1 : 0;
}
