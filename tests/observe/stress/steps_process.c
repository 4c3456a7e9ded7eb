/* Progress hidden in other processes: children, daemons, signals, locks. */
#include "stress.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

void child(long us, bool threaded) {
    (void)threaded;
    pid_t pid = fork();
    if (pid == 0) {
        sleep_us(us);
        _exit(0);
    }
    waitpid(pid, NULL, 0);
}

static void write_late(int ends[2], long us) {
    close(ends[0]);
    sleep_us(us);
    put(ends[1], 'x');
    _exit(0);
}

void daemon_writes(long us, bool threaded) {
    (void)threaded;
    int ends[2];
    must(pipe(ends) == 0, "pipe");
    pid_t pid = fork();
    if (pid == 0) {
        setsid();
        if (fork() == 0)
            write_late(ends, us);
        _exit(0);
    }
    close(ends[1]);
    waitpid(pid, NULL, 0);
    take(ends[0]);
    close(ends[0]);
}

void grandchild_writes(long us, bool threaded) {
    (void)threaded;
    int ends[2];
    must(pipe(ends) == 0, "pipe");
    pid_t pid = fork();
    if (pid == 0) {
        if (fork() == 0)
            write_late(ends, us);
        _exit(0);
    }
    close(ends[1]);
    fd_set set;
    FD_ZERO(&set);
    FD_SET(ends[0], &set);
    select(ends[0] + 1, &set, NULL, NULL, NULL);
    take(ends[0]);
    close(ends[0]);
    waitpid(pid, NULL, 0);
}

void spawned_program(long us, bool threaded) {
    (void)threaded;
    char seconds[32];
    snprintf(seconds, sizeof seconds, "%f", (double)us / 1e6);
    char *arguments[] = {"sleep", seconds, NULL};
    pid_t pid;
    if (posix_spawnp(&pid, "sleep", NULL, NULL, arguments, environ) == 0)
        waitpid(pid, NULL, 0);
}

void short_children(long us, bool threaded) {
    (void)threaded;
    for (int i = 0; i < 5; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            if (fork() == 0)
                sleep_us(us / 5);
            _exit(0);
        }
        waitpid(pid, NULL, 0);
    }
    sleep_us(us / 5);
}

void stopped_and_continued(long us, bool threaded) {
    pid_t parent = getpid(), pid = fork();
    if (pid == 0) {
        sleep_us(us);
        for (int i = 0; i < 6; i++) {
            kill(parent, SIGCONT);
            sleep_us(3000);
        }
        _exit(0);
    }
    if (!threaded)
        raise(SIGSTOP);
    waitpid(pid, NULL, 0);
}

void file_lock(long us, bool threaded) {
    (void)threaded;
    int ends[2];
    char name[] = "./stress-lock-XXXXXX";
    int fd = mkstemp(name);
    must(fd >= 0 && pipe(ends) == 0, "mkstemp, pipe");
    pid_t pid = fork();
    if (pid == 0) {
        int other = open(name, O_RDWR);
        flock(other, LOCK_EX);
        put(ends[1], 'x');
        sleep_us(us);
        _exit(0);
    }
    take(ends[0]);
    flock(fd, LOCK_EX);
    waitpid(pid, NULL, 0);
    close(fd);
    unlink(name);
    close(ends[0]);
    close(ends[1]);
}

void semaphore(long us, bool threaded) {
    (void)threaded;
    int set = semget(IPC_PRIVATE, 1, 0600);
    must(set >= 0, "semget");
    pid_t pid = fork();
    if (pid == 0) {
        sleep_us(us);
        struct sembuf up = {.sem_op = 1};
        semop(set, &up, 1);
        _exit(0);
    }
    struct sembuf down = {.sem_op = -1};
    semop(set, &down, 1);
    semctl(set, 0, IPC_RMID);
    waitpid(pid, NULL, 0);
}

static void on_signal(int number) {
    (void)number;
}

void signal_from_child(long us, bool threaded) {
    (void)threaded;
    sigset_t set, before;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    signal(SIGUSR1, on_signal);
    pthread_sigmask(SIG_BLOCK, &set, &before);
    pid_t me = getpid(), thread = (pid_t)syscall(SYS_gettid), pid = fork();
    if (pid == 0) {
        sleep_us(us);
        syscall(SYS_tgkill, me, thread, SIGUSR1);
        _exit(0);
    }
    sigdelset(&before, SIGUSR1);
    sigsuspend(&before);
    waitpid(pid, NULL, 0);
}
