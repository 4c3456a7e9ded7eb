/* Blocks for ever (or for 100 s) in the system call named by its argument. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int ends[2], unix_ends[2], udp, listener;
static char buffer[64];
static struct iovec vector = {buffer, sizeof buffer};
static struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
static struct mmsghdr messages[1];
static const struct timespec hundred = {.tv_sec = 100};
static sigset_t none;

static struct timespec in_hundred(clockid_t clock) {
    struct timespec at;
    clock_gettime(clock, &at);
    at.tv_sec += 100;
    return at;
}

static void do_read(void) { (void)!read(ends[0], buffer, 1); }
static void do_readv(void) { (void)!readv(ends[0], &vector, 1); }
static void do_recv(void) { recv(unix_ends[0], buffer, 1, 0); }
static void do_recvfrom(void) { recvfrom(udp, buffer, 1, 0, NULL, NULL); }
static void do_recvmsg(void) { recvmsg(udp, &message, 0); }
static void do_recvmmsg(void) { recvmmsg(udp, messages, 1, 0, NULL); }
static void do_accept(void) { accept(listener, NULL, NULL); }
static void do_splice(void) { splice(ends[0], NULL, unix_ends[1], NULL, 100, 0); }
static void do_write(void) { while (write(ends[1], buffer, sizeof buffer) > 0) continue; }
static void do_writev(void) { while (writev(ends[1], &vector, 1) > 0) continue; }
static void do_send(void) { while (send(unix_ends[1], buffer, sizeof buffer, 0) > 0) continue; }
static void do_sendmsg(void) { while (sendmsg(unix_ends[1], &message, 0) > 0) continue; }
static void do_poll(void) { poll((struct pollfd[]){{ends[0], POLLIN, 0}, {-1, POLLIN, 0}, {udp, POLLIN, 0}}, 3, -1); }
static void do_poll_timed(void) { poll(&(struct pollfd){ends[0], POLLIN, 0}, 1, 100000); }
static void do_ppoll_timed(void) { ppoll(&(struct pollfd){ends[0], POLLIN, 0}, 1, &hundred, NULL); }
static void do_select(void) {
    fd_set in;
    FD_ZERO(&in);
    FD_SET(ends[0], &in);
    FD_SET(udp, &in);
    select(64, &in, NULL, NULL, NULL);
}
static void do_select_timed(void) { select(0, NULL, NULL, NULL, &(struct timeval){.tv_sec = 100}); }
static void do_pselect_timed(void) { pselect(0, NULL, NULL, NULL, &hundred, NULL); }
static int watching(int fd, unsigned events) {
    int epoll = epoll_create1(0);
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &(struct epoll_event){.events = events});
    return epoll;
}
static void do_epoll(void) { epoll_wait(watching(listener, EPOLLIN), (struct epoll_event[1]){0}, 1, -1); }
static void do_epoll_timed(void) { epoll_wait(watching(udp, EPOLLIN), (struct epoll_event[1]){0}, 1, 100000); }
static void do_epoll_nested(void) { epoll_wait(watching(watching(udp, EPOLLIN), EPOLLIN), (struct epoll_event[1]){0}, 1, -1); }
static void do_epoll_edge(void) {
    int epoll = watching(unix_ends[0], EPOLLIN | EPOLLET);
    (void)!write(unix_ends[1], "four", 4);
    for (;;)
        epoll_wait(epoll, (struct epoll_event[1]){0}, 1, -1); /* never reads what it is told about */
}
static void do_epoll_pwait2_timed(void) { syscall(441, watching(udp, EPOLLIN), (struct epoll_event[1]){0}, 1, &hundred, NULL, 8L); }
static int armed(int seconds) {
    int timer = timerfd_create(CLOCK_MONOTONIC, 0);
    timerfd_settime(timer, 0, &(struct itimerspec){.it_value = {.tv_sec = seconds}}, NULL);
    return timer;
}
static void do_timerfd(void) { (void)!read(armed(100), buffer, 8); }
static void do_timerfd_disarmed(void) { (void)!read(armed(0), buffer, 8); }
static void do_timerfd_in_epoll(void) { epoll_wait(watching(armed(100), EPOLLIN), (struct epoll_event[1]){0}, 1, -1); }
static void do_receive_timeout(void) {
    setsockopt(unix_ends[0], SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){.tv_sec = 100}, sizeof(struct timeval));
    recv(unix_ends[0], buffer, 1, 0);
}
static void do_posix_timer(void) {
    timer_t timer;
    timer_create(CLOCK_MONOTONIC, &(struct sigevent){.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1}, &timer);
    pause();
}
static void do_pause(void) { pause(); }
static void do_sigsuspend(void) { sigsuspend(&none); }
static void do_sigwait(void) { sigwaitinfo(&none, NULL); }
static void do_sigtimedwait(void) { sigtimedwait(&none, NULL, &hundred); }
static void do_nanosleep(void) { syscall(SYS_nanosleep, &hundred, NULL); }
static void do_clock_nanosleep(void) {
    struct timespec at = in_hundred(CLOCK_MONOTONIC);
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
}
static void do_realtime_sleep(void) {
    struct timespec at = in_hundred(CLOCK_REALTIME);
    clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &at, NULL);
}
static void do_mutex(void) {
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&mutex);
    pthread_mutex_lock(&mutex);
}
static void wait_for_condition(const struct timespec *until) {
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t never = PTHREAD_COND_INITIALIZER;
    pthread_mutex_lock(&mutex);
    if (until != NULL)
        pthread_cond_timedwait(&never, &mutex, until);
    else
        pthread_cond_wait(&never, &mutex);
}
static void do_condition(void) { wait_for_condition(NULL); }
static void do_condition_timed(void) {
    struct timespec at = in_hundred(CLOCK_REALTIME);
    wait_for_condition(&at);
}
static void *blocked(void *unused) { return pause(), unused; }
static void do_join(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, blocked, NULL);
    pthread_join(thread, NULL);
}
static void do_waitpid(void) {
    if (fork() == 0)
        pause();
    wait(NULL);
}
static void do_zombie(void) {
    if (fork() == 0)
        _exit(0);
    pause();
}
static void do_flock(void) {
    int first = open(".", O_RDONLY), second = open(".", O_RDONLY);
    flock(first, LOCK_EX);
    flock(second, LOCK_EX);
}
static void do_mq_receive(void) {
    char name[32], body[8192];
    snprintf(name, sizeof name, "/waits-%d", getpid());
    mqd_t queue = mq_open(name, O_RDWR | O_CREAT, 0600, NULL);
    mq_unlink(name);
    mq_receive(queue, body, sizeof body, NULL);
}
static void do_stop(void) { raise(SIGSTOP); }
static void do_spin(void) { for (;;) continue; }

#define WAIT(name) {#name, do_##name}
static const struct { const char *name; void (*block)(void); } waits[] = {
    WAIT(read), WAIT(readv), WAIT(recv), WAIT(recvfrom), WAIT(recvmsg), WAIT(recvmmsg), WAIT(accept), WAIT(splice), WAIT(write),
    WAIT(writev), WAIT(send), WAIT(sendmsg), WAIT(poll), WAIT(poll_timed), WAIT(ppoll_timed), WAIT(select),
    WAIT(select_timed), WAIT(pselect_timed), WAIT(epoll), WAIT(epoll_timed), WAIT(epoll_nested), WAIT(epoll_edge),
    WAIT(epoll_pwait2_timed), WAIT(timerfd), WAIT(timerfd_disarmed), WAIT(timerfd_in_epoll), WAIT(receive_timeout),
    WAIT(posix_timer), WAIT(pause), WAIT(sigsuspend), WAIT(sigwait), WAIT(sigtimedwait), WAIT(nanosleep),
    WAIT(clock_nanosleep), WAIT(realtime_sleep), WAIT(mutex), WAIT(condition), WAIT(condition_timed), WAIT(join),
    WAIT(waitpid), WAIT(zombie), WAIT(flock), WAIT(mq_receive), WAIT(stop), WAIT(spin),
};

int main(int argc, char **argv) {
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    udp = socket(AF_INET, SOCK_DGRAM, 0);
    listener = socket(AF_INET, SOCK_STREAM, 0);
    bind(udp, (struct sockaddr *)&any, sizeof any);
    bind(listener, (struct sockaddr *)&any, sizeof any);
    if (pipe(ends) != 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, unix_ends) != 0 || listen(listener, 5) != 0)
        return 2;
    messages[0].msg_hdr = message;
    for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++)
        if (argc > 1 && strcmp(argv[1], waits[i].name) == 0)
            waits[i].block();
    return 3;
}
