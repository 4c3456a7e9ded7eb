/* What the parts of the stress server share: the kinds of hidden progress, and small helpers. */
#ifndef STRESS_H
#define STRESS_H

#define _GNU_SOURCE
#include <stdbool.h>
#include <time.h>

/* One kind of progress that takes about `us` microseconds. `threaded`: other threads are serving. */
typedef void step(long us, bool threaded);

step spin_on_cpu, yield_in_loop, touch_pages, write_to_disk;
step sleep_nanosleep, sleep_poll, sleep_select, sleep_epoll, sleep_ppoll, sleep_epoll_pwait2;
step sleep_absolute, sleep_sigtimedwait, sleep_condition;
step timerfd_blocking, timerfd_in_epoll, posix_timer, receive_timeout, io_uring_timeout;
step alarm_with_handler, alarm_default_action;
step child, daemon_writes, spawned_program, grandchild_writes, short_children;
step stopped_and_continued, file_lock, semaphore, signal_from_child;
step thread_joined, thread_detached, thread_condition, threads_in_a_row;
step tcp_hops, udp_hop, unix_hop, unix_ping_pong, eventfd_from_thread;

/* helpers (clock.c) */
struct timespec span(long us);
struct timespec deadline(clockid_t clock, long us);
void sleep_us(long us);
double seconds_now(void);
void take(int fd);           /* read one byte or more, abort on error */
void put(int fd, char byte); /* write one byte, abort on error */
void must(bool holds, const char *what);

#endif
