/* main() ends its thread; the other one goes on to accept (argument "accept") or finds it closed ("close"). */
#define _GNU_SOURCE
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static int listener;
static atomic_int server_tid;

static void *server(void *unused) {
    server_tid = (int)syscall(SYS_gettid);
    accept(listener, NULL, NULL);
    return unused;
}

/* State letter of a thread of ours: the closing thread must not come too early. */
static char state_of(int tid) {
    char path[64], line[256] = "", *end;
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", tid);
    FILE *file = fopen(path, "r");
    if (file != NULL) {
        if (fgets(line, sizeof line, file) == NULL)
            line[0] = '\0';
        fclose(file);
    }
    end = strrchr(line, ')');
    return end != NULL ? end[2] : '?';
}

int main(int argc, char **argv) {
    pthread_t thread;
    listener = socket(AF_INET, SOCK_STREAM, 0);
    listen(listener, 5);
    pthread_create(&thread, NULL, server, NULL);
    if (argc > 1 && strcmp(argv[1], "close") == 0) {
        while (server_tid == 0 || state_of(server_tid) != 'S')
            continue;
        close(listener);
        pause();
    }
    pthread_exit(NULL);
}
