/* Progress hidden in a timer that the blocked system call does not show. */
#include "stress.h"

#include <linux/io_uring.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

void timerfd_blocking(long us, bool threaded) {
    (void)threaded;
    int fd = timerfd_create(CLOCK_MONOTONIC, 0);
    struct itimerspec once = {.it_value = span(us)};
    timerfd_settime(fd, 0, &once, NULL);
    take(fd);
    close(fd);
}

void timerfd_in_epoll(long us, bool threaded) {
    (void)threaded;
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK), epoll = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN | EPOLLET};
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
    struct itimerspec once = {.it_value = span(us)};
    timerfd_settime(fd, 0, &once, NULL);
    epoll_wait(epoll, &event, 1, -1);
    close(fd);
    close(epoll);
}

void posix_timer(long us, bool threaded) {
    (void)threaded;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    struct sigevent to_me = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR2};
    to_me._sigev_un._tid = (pid_t)syscall(SYS_gettid);
    timer_t timer;
    must(timer_create(CLOCK_MONOTONIC, &to_me, &timer) == 0, "timer_create");
    struct itimerspec once = {.it_value = span(us)};
    timer_settime(timer, 0, &once, NULL);
    int got;
    sigwait(&set, &got);
    timer_delete(timer);
}

void receive_timeout(long us, bool threaded) {
    (void)threaded;
    int ends[2];
    char byte;
    must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0, "socketpair");
    struct timeval limit = {.tv_sec = us / 1000000, .tv_usec = us % 1000000 + 1};
    setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    must(recv(ends[0], &byte, 1, 0) < 0, "recv");
    close(ends[0]);
    close(ends[1]);
}

static void set_alarm(long us) {
    struct itimerval once = {.it_value = {.tv_sec = us / 1000000, .tv_usec = us % 1000000 + 1}};
    setitimer(ITIMER_REAL, &once, NULL);
}

static void on_alarm(int number) {
    (void)number;
}

void alarm_with_handler(long us, bool threaded) {
    (void)threaded;
    pid_t pid = fork();
    if (pid == 0) {
        signal(SIGALRM, on_alarm);
        sigset_t set, before;
        sigemptyset(&set);
        sigaddset(&set, SIGALRM);
        sigprocmask(SIG_BLOCK, &set, &before);
        set_alarm(us);
        sigsuspend(&before);
        _exit(0);
    }
    waitpid(pid, NULL, 0);
}

/* The alarm kills a process that shows no handler: /proc knows nothing of it. */
void alarm_default_action(long us, bool threaded) {
    (void)threaded;
    int ends[2];
    must(pipe(ends) == 0, "pipe");
    pid_t pid = fork();
    if (pid == 0) {
        set_alarm(us);
        take(ends[0]);
        _exit(0);
    }
    waitpid(pid, NULL, 0);
    close(ends[0]);
    close(ends[1]);
}

void io_uring_timeout(long us, bool threaded) {
    (void)threaded;
    struct io_uring_params params;
    memset(&params, 0, sizeof params);
    int ring = (int)syscall(SYS_io_uring_setup, 4, &params);
    if (ring < 0) {
        sleep_us(us);
        return;
    }
    size_t size = params.sq_off.array + params.sq_entries * sizeof(unsigned);
    size_t answers = params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe);
    size = size > answers ? size : answers;
    size_t entries = params.sq_entries * sizeof(struct io_uring_sqe);
    char *queue = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQ_RING);
    struct io_uring_sqe *entry = mmap(NULL, entries, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQES);
    must(queue != MAP_FAILED && entry != MAP_FAILED, "mmap");
    struct __kernel_timespec wait = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
    memset(entry, 0, sizeof *entry);
    entry->opcode = IORING_OP_TIMEOUT;
    entry->addr = (unsigned long)&wait;
    entry->len = 1;
    entry->fd = -1;
    *(unsigned *)(void *)(queue + params.sq_off.array) = 0;
    __atomic_store_n((unsigned *)(void *)(queue + params.sq_off.tail), 1U, __ATOMIC_RELEASE);
    syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0);
    munmap(queue, size);
    munmap(entry, entries);
    close(ring);
}
