/* options.c: the command line of our pid 1. */
#include "pid1.h"

#include <stdlib.h>
#include <string.h>

static const struct {
  const char *name;
  int resource;
} resources[] = {
    {"CPU", RLIMIT_CPU},     {"NPROC", RLIMIT_NPROC}, {"FSIZE", RLIMIT_FSIZE},     {"NOFILE", RLIMIT_NOFILE},
    {"CORE", RLIMIT_CORE},   {"STACK", RLIMIT_STACK}, {"MEMLOCK", RLIMIT_MEMLOCK}, {"MSGQUEUE", RLIMIT_MSGQUEUE},
    {"DATA", RLIMIT_DATA},   {"AS", RLIMIT_AS},
};

/* NAME=SOFT:HARD, clamped to what we are allowed to have. */
static bool parse_limit(const char *text, struct options *options) {
  const char *equals = strchr(text, '=');
  if (!equals || options->limit_count == MOST_LIMITS) return false;
  size_t length = (size_t)(equals - text);
  for (size_t i = 0; i < sizeof resources / sizeof *resources; i++) {
    if (strlen(resources[i].name) != length || strncmp(resources[i].name, text, length)) continue;
    struct limit *limit = &options->limits[options->limit_count++];
    struct rlimit now;
    char *end;
    limit->resource = resources[i].resource;
    limit->value.rlim_cur = strtoull(equals + 1, &end, 10);
    limit->value.rlim_max = *end == ':' ? strtoull(end + 1, NULL, 10) : limit->value.rlim_cur;
    if (getrlimit(limit->resource, &now)) return false;
    if (limit->value.rlim_max > now.rlim_max) limit->value.rlim_max = now.rlim_max;
    if (limit->value.rlim_cur > limit->value.rlim_max) limit->value.rlim_cur = limit->value.rlim_max;
    return true;
  }
  return false;
}

static bool add_path(const char **paths, int *count, const char *path) {
  if (*count == MOST_PATHS) return false;
  paths[(*count)++] = path;
  return true;
}

bool parse_options(int argc, char **argv, struct options *options) {
  memset(options, 0, sizeof *options);
  if (argc < 4) return false;
  options->control = atoi(argv[1]);
  int i = 2;
  for (; i < argc && strcmp(argv[i], "--"); i++) {
    const char *option = argv[i];
    if (!strcmp(option, "--reaper")) options->reaper = true;
    else if (!strcmp(option, "--canary")) options->canary = true;
    else if (!strcmp(option, "--supervise")) options->supervise = true;
    else if (!strcmp(option, "--orphans")) options->orphans = true;
    else if (!strcmp(option, "--failing-accept")) options->failing_accept = true;
    else if (++i >= argc) return false;
    else if (!strcmp(option, "--uid")) options->uid = (uid_t)strtoul(argv[i], NULL, 10);
    else if (!strcmp(option, "--close")) { for (int fd = 0; fd < 3; fd++) options->closed[fd] = strchr(argv[i], '0' + fd) != NULL; }
    else if (!strcmp(option, "--directory")) options->directory = argv[i];
    else if (!strcmp(option, "--limit")) { if (!parse_limit(argv[i], options)) return false; }
    else if (!strcmp(option, "--readable")) { if (!add_path(options->readable, &options->readable_count, argv[i])) return false; }
    else if (!strcmp(option, "--writable")) { if (!add_path(options->writable, &options->writable_count, argv[i])) return false; }
    else return false;
  }
  if (i + 1 >= argc) return false;
  options->program = argv + i + 1;
  return true;
}
