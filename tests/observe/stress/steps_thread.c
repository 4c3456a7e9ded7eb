/* Progress hidden in other threads, and in conversations inside the program. */
#include "stress.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

struct job {
    int fd;
    long us;
    int rounds;
    bool done;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
};

static void *sleeper(void *argument) {
    sleep_us(*(long *)argument);
    return NULL;
}

void thread_joined(long us, bool threaded) {
    (void)threaded;
    pthread_t thread;
    pthread_create(&thread, NULL, sleeper, &us);
    pthread_join(thread, NULL);
}

void threads_in_a_row(long us, bool threaded) {
    for (int i = 0; i < 20; i++)
        thread_joined(us / 20, threaded);
}

static void *signaller(void *argument) {
    struct job *job = argument;
    sleep_us(job->us);
    pthread_mutex_lock(&job->mutex);
    job->done = true;
    pthread_cond_signal(&job->changed);
    pthread_mutex_unlock(&job->mutex);
    return NULL;
}

void thread_condition(long us, bool threaded) {
    (void)threaded;
    struct job job = {.us = us, .mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    pthread_t thread;
    pthread_create(&thread, NULL, signaller, &job);
    pthread_mutex_lock(&job.mutex);
    while (!job.done)
        pthread_cond_wait(&job.changed, &job.mutex);
    pthread_mutex_unlock(&job.mutex);
    pthread_join(thread, NULL);
}

static void *late_writer(void *argument) {
    struct job job = *(struct job *)argument;
    free(argument);
    sleep_us(job.us);
    put(job.fd, 'x');
    close(job.fd);
    return NULL;
}

void thread_detached(long us, bool threaded) {
    (void)threaded;
    int ends[2];
    must(pipe(ends) == 0, "pipe");
    struct job *job = calloc(1, sizeof *job);
    must(job != NULL, "calloc");
    job->fd = ends[1];
    job->us = us;
    pthread_t thread;
    pthread_create(&thread, NULL, late_writer, job);
    pthread_detach(thread);
    struct pollfd input = {.fd = ends[0], .events = POLLIN};
    poll(&input, 1, -1);
    take(ends[0]);
    close(ends[0]);
}

static void *event_writer(void *argument) {
    struct job *job = argument;
    sleep_us(job->us);
    eventfd_write(job->fd, 1);
    return NULL;
}

void eventfd_from_thread(long us, bool threaded) {
    (void)threaded;
    struct job job = {.fd = eventfd(0, 0), .us = us};
    pthread_t thread;
    pthread_create(&thread, NULL, event_writer, &job);
    take(job.fd);
    pthread_join(thread, NULL);
    close(job.fd);
}

static void *echoer(void *argument) {
    struct job *job = argument;
    for (int i = 0; i < job->rounds; i++) {
        take(job->fd);
        if (job->us > 0)
            sleep_us(job->us);
        put(job->fd, 'x');
    }
    return NULL;
}

static void ping_pong(int near, int far, int rounds, long us) {
    struct job job = {.fd = far, .us = us, .rounds = rounds};
    pthread_t thread;
    pthread_create(&thread, NULL, echoer, &job);
    for (int i = 0; i < rounds; i++) {
        put(near, 'x');
        take(near);
    }
    pthread_join(thread, NULL);
    close(near);
    close(far);
}

void unix_hop(long us, bool threaded) {
    (void)threaded;
    int ends[2];
    must(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) == 0, "socketpair");
    ping_pong(ends[0], ends[1], 1, us);
}

void unix_ping_pong(long us, bool threaded) {
    (void)us, (void)threaded;
    int ends[2];
    must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0, "socketpair");
    ping_pong(ends[0], ends[1], 200, 0);
}

static int bound(int type, struct sockaddr_in *address) {
    socklen_t length = sizeof *address;
    int fd = socket(AF_INET, type, 0);
    *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    must(bind(fd, (struct sockaddr *)address, length) == 0, "bind");
    must(getsockname(fd, (struct sockaddr *)address, &length) == 0, "getsockname");
    return fd;
}

void tcp_hops(long us, bool threaded) {
    (void)threaded;
    struct sockaddr_in address;
    int listener = bound(SOCK_STREAM, &address), client = socket(AF_INET, SOCK_STREAM, 0);
    must(listen(listener, 1) == 0, "listen");
    must(connect(client, (struct sockaddr *)&address, sizeof address) == 0, "connect");
    ping_pong(client, accept(listener, NULL, NULL), 3, us / 3);
    close(listener);
}

void udp_hop(long us, bool threaded) {
    (void)threaded;
    struct sockaddr_in left, right;
    int near = bound(SOCK_DGRAM, &left), far = bound(SOCK_DGRAM, &right);
    must(connect(near, (struct sockaddr *)&right, sizeof right) == 0, "connect");
    must(connect(far, (struct sockaddr *)&left, sizeof left) == 0, "connect");
    ping_pong(near, far, 1, us);
}
