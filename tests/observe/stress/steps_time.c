/* Progress hidden in a timed wait that the system call itself shows, and in plain work. */
#include "stress.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <unistd.h>

void spin_on_cpu(long us, bool threaded) {
    (void)threaded;
    struct timespec at;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &at);
    double end = (double)at.tv_sec + (double)at.tv_nsec / 1e9 + (double)us / 1e6;
    do
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &at);
    while ((double)at.tv_sec + (double)at.tv_nsec / 1e9 < end);
}

void yield_in_loop(long us, bool threaded) {
    (void)threaded;
    double end = seconds_now() + (double)us / 1e6;
    while (seconds_now() < end)
        sched_yield();
}

void touch_pages(long us, bool threaded) {
    (void)threaded;
    const size_t size = 1 << 20;
    double end = seconds_now() + (double)us / 2e6;
    while (seconds_now() < end) {
        char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        must(memory != MAP_FAILED, "mmap");
        memset(memory, 1, size);
        munmap(memory, size);
    }
}

void write_to_disk(long us, bool threaded) {
    (void)us, (void)threaded;
    static const char block[1 << 16];
    char name[] = "./stress-XXXXXX";
    int fd = mkstemp(name);
    must(fd >= 0, "mkstemp");
    for (int i = 0; i < 4; i++)
        must(write(fd, block, sizeof block) > 0, "write");
    fsync(fd);
    close(fd);
    unlink(name);
}

void sleep_nanosleep(long us, bool threaded) {
    (void)threaded;
    sleep_us(us);
}

void sleep_poll(long us, bool threaded) {
    (void)threaded;
    poll(NULL, 0, (int)(us / 1000));
}

void sleep_ppoll(long us, bool threaded) {
    (void)threaded;
    struct timespec wait = span(us);
    ppoll(NULL, 0, &wait, NULL);
}

void sleep_select(long us, bool threaded) {
    (void)threaded;
    struct timeval wait = {.tv_sec = us / 1000000, .tv_usec = us % 1000000};
    select(0, NULL, NULL, NULL, &wait);
}

void sleep_epoll(long us, bool threaded) {
    (void)threaded;
    struct epoll_event event;
    int epoll = epoll_create1(0);
    epoll_wait(epoll, &event, 1, (int)(us / 1000));
    close(epoll);
}

void sleep_epoll_pwait2(long us, bool threaded) {
    (void)threaded;
    struct epoll_event event;
    struct timespec wait = span(us);
    int epoll = epoll_create1(0);
    syscall(441, epoll, &event, 1, &wait, NULL, 8L);
    close(epoll);
}

void sleep_absolute(long us, bool threaded) {
    (void)threaded;
    struct timespec at = deadline(CLOCK_MONOTONIC, us);
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
}

void sleep_sigtimedwait(long us, bool threaded) {
    (void)threaded;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    struct timespec wait = span(us);
    sigtimedwait(&set, NULL, &wait);
}

void sleep_condition(long us, bool threaded) {
    (void)threaded;
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t never = PTHREAD_COND_INITIALIZER;
    struct timespec at = deadline(CLOCK_REALTIME, us);
    pthread_mutex_lock(&mutex);
    pthread_cond_timedwait(&never, &mutex, &at);
    pthread_mutex_unlock(&mutex);
}
