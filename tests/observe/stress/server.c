/* Adversarial server: before it answers it makes progress in ways that hide it from an observer.
 *
 *   stress COUNTERFILE MODE          MODE: iterative, fork, thread, epoll or poll; listens on a free port
 *
 * Request "R SEED COUNT MAXMS MASK\n": COUNT random steps among those in MASK, of at most MAXMS ms each,
 * then the reply "OK\n". "D ..." stays silent. The first long of COUNTERFILE counts finished requests:
 * it tells the test what the observer must not know. */
#include "stress.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* The order is that of KINDS in stress.py. */
static step *const steps[] = {
    spin_on_cpu,       sleep_nanosleep,      sleep_poll,         sleep_select,     sleep_epoll,
    sleep_condition,   timerfd_blocking,     timerfd_in_epoll,   posix_timer,      alarm_with_handler,
    receive_timeout,   child,                daemon_writes,      thread_joined,    tcp_hops,
    udp_hop,           unix_hop,             yield_in_loop,      write_to_disk,    spawned_program,
    unix_ping_pong,    thread_condition,     io_uring_timeout,   touch_pages,      stopped_and_continued,
    file_lock,         semaphore,            sleep_sigtimedwait, sleep_ppoll,      sleep_epoll_pwait2,
    signal_from_child, sleep_absolute,       eventfd_from_thread, thread_detached, grandchild_writes,
    threads_in_a_row,  short_children,       alarm_default_action,
};
enum { STEPS = sizeof steps / sizeof steps[0], MOST_CLIENTS = 64 };

static atomic_long *finished;

static bool serve(int fd, bool threaded) {
    char line[256], kind;
    unsigned seed;
    int count, most_ms;
    unsigned long mask;
    ssize_t n = read(fd, line, sizeof line - 1);
    if (n <= 0)
        return false;
    line[n] = '\0';
    if (sscanf(line, "%c %u %d %d %lx", &kind, &seed, &count, &most_ms, &mask) != 5)
        return false;
    for (int i = 0; i < count; i++) {
        int chosen;
        do
            chosen = rand_r(&seed) % STEPS;
        while ((mask >> chosen & 1) == 0);
        steps[chosen](rand_r(&seed) % (most_ms * 1000 + 1), threaded);
    }
    if (kind == 'R')
        must(write(fd, "OK\n", 3) == 3, "write");
    atomic_fetch_add(finished, 1);
    return true;
}

static int next_client(int listener) {
    int fd = accept(listener, NULL, NULL), on = 1;
    must(fd >= 0, "accept");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

static void serve_all(int fd, bool threaded) {
    while (serve(fd, threaded))
        continue;
    close(fd);
}

static void *client_thread(void *argument) {
    serve_all((int)(long)argument, true);
    return NULL;
}

static void with_epoll(int listener) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
    int epoll = epoll_create1(0);
    for (epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);;) {
        if (epoll_wait(epoll, &event, 1, -1) < 1)
            continue;
        if (event.data.fd == listener) {
            event = (struct epoll_event){.events = EPOLLIN, .data.fd = next_client(listener)};
            epoll_ctl(epoll, EPOLL_CTL_ADD, event.data.fd, &event);
        } else if (!serve(event.data.fd, false)) {
            close(event.data.fd);
        }
    }
}

static void with_poll(int listener) {
    struct pollfd polled[MOST_CLIENTS] = {{.fd = listener, .events = POLLIN}};
    for (int n = 1;;) {
        if (poll(polled, (nfds_t)n, -1) < 1)
            continue;
        for (int i = n - 1; i > 0; i--)
            if (polled[i].revents != 0 && !serve(polled[i].fd, false)) {
                close(polled[i].fd);
                polled[i] = polled[--n];
            }
        if (polled[0].revents != 0 && n < MOST_CLIENTS)
            polled[n++] = (struct pollfd){.fd = next_client(listener), .events = POLLIN};
    }
}

int main(int argc, char **argv) {
    must(argc == 3, "usage: stress COUNTERFILE MODE");
    int file = open(argv[1], O_RDWR);
    finished = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    must(finished != MAP_FAILED, "mmap");
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    must(bind(listener, (struct sockaddr *)&any, sizeof any) == 0 && listen(listener, 16) == 0, "listen");
    if (strcmp(argv[2], "epoll") == 0)
        with_epoll(listener);
    if (strcmp(argv[2], "poll") == 0)
        with_poll(listener);
    for (;;) {
        int fd = next_client(listener);
        if (strcmp(argv[2], "fork") == 0) {
            if (fork() == 0) {
                close(listener);
                serve_all(fd, false);
                _exit(0);
            }
            close(fd);
            while (waitpid(-1, NULL, WNOHANG) > 0)
                continue;
        } else if (strcmp(argv[2], "thread") == 0) {
            pthread_t thread;
            pthread_create(&thread, NULL, client_thread, (void *)(long)fd);
            pthread_detach(thread);
        } else {
            serve_all(fd, false);
        }
    }
}
