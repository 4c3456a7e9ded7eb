/* Helpers of the stress server: time spans, and I/O that must succeed. */
#include "stress.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void must(bool holds, const char *what) {
    if (!holds) {
        perror(what);
        abort();
    }
}

struct timespec span(long us) {
    return (struct timespec){.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000 + 1};
}

struct timespec deadline(clockid_t clock, long us) {
    struct timespec at;
    clock_gettime(clock, &at);
    at.tv_nsec += us % 1000000 * 1000;
    at.tv_sec += us / 1000000 + at.tv_nsec / 1000000000;
    at.tv_nsec %= 1000000000;
    return at;
}

void sleep_us(long us) {
    struct timespec left = span(us);
    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        continue;
}

double seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void take(int fd) {
    char buffer[256];
    ssize_t n;
    do
        n = read(fd, buffer, sizeof buffer);
    while (n < 0 && errno == EINTR);
    must(n >= 0, "read");
}

void put(int fd, char byte) {
    must(write(fd, &byte, 1) == 1, "write");
}
