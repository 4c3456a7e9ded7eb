/* filter.c: one seccomp filter for the program and all its descendants: what it may not do, and what is reported. */
#define _GNU_SOURCE
#include "pid1.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined __x86_64__
enum { NATIVE = AUDIT_ARCH_X86_64 };
#elif defined __aarch64__
enum { NATIVE = AUDIT_ARCH_AARCH64 };
#else
#error "sockspec's pid 1 knows x86-64 and aarch64"
#endif
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

enum { X32 = 0x40000000, MOST_STEPS = 160, ITIMER_REAL_NUMBER = 0 };
#define NAMESPACES (CLONE_NEWNS | CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP)
#define REFUSE(error) (SECCOMP_RET_ERRNO | (error))

static const int forbidden[] = { /* kernel surface that no homework needs */
    SYS_mount, SYS_umount2, SYS_pivot_root, SYS_setns, SYS_keyctl, SYS_add_key, SYS_request_key, SYS_bpf,
    SYS_perf_event_open, SYS_userfaultfd, SYS_open_by_handle_at, SYS_name_to_handle_at, SYS_kexec_load,
    SYS_init_module, SYS_finit_module, SYS_delete_module, SYS_swapon, SYS_swapoff, SYS_reboot, SYS_syslog,
    SYS_acct, SYS_quotactl, SYS_move_mount, SYS_fsopen, SYS_open_tree,
#ifdef SYS_mount_setattr
    SYS_mount_setattr,
#endif
};
/* clone3 has its flags behind a pointer, io_uring waits where /proc does not show it: libraries fall back on ENOSYS. */
static const int absent[] = {SYS_clone3, SYS_io_uring_setup, SYS_io_uring_enter, SYS_io_uring_register};
static const unsigned families[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK};
static const unsigned timeout_options[] = {20, 21, 66, 67}; /* SO_RCVTIMEO, SO_SNDTIMEO: _OLD and _NEW */

static struct sock_filter steps[MOST_STEPS];
static unsigned short count;

static void step(unsigned short code, unsigned char yes, unsigned char no, unsigned value) {
  steps[count++] = (struct sock_filter){code, yes, no, value};
}
static void load(size_t offset) { step(BPF_LD | BPF_W | BPF_ABS, 0, 0, (unsigned)offset); }
static void load_argument(int index) { load(offsetof(struct seccomp_data, args) + 8 * (size_t)index); } /* low half */
static void give(unsigned action) { step(BPF_RET | BPF_K, 0, 0, action); }
static void unless_equal(unsigned value, unsigned char skip) { step(BPF_JMP | BPF_JEQ | BPF_K, 0, skip, value); }
static void on_call(int number, unsigned action) {
  unless_equal((unsigned)number, 1);
  give(action);
}

static void families_of(int number) {
  const unsigned char known = sizeof families / sizeof *families;
  unless_equal((unsigned)number, (unsigned char)(known + 3));
  load_argument(0);
  for (unsigned char i = 0; i < known; i++) step(BPF_JMP | BPF_JEQ | BPF_K, (unsigned char)(known - i), 0, families[i]);
  give(REFUSE(EAFNOSUPPORT));
  give(SECCOMP_RET_ALLOW);
}

static void namespaces_of(int number) {
  unless_equal((unsigned)number, 4);
  load_argument(0);
  step(BPF_JMP | BPF_JSET | BPF_K, 0, 1, NAMESPACES);
  give(REFUSE(EPERM));
  give(SECCOMP_RET_ALLOW);
}

static void reported_calls(bool accepts) {
  const unsigned char options = sizeof timeout_options / sizeof *timeout_options;
  on_call(SYS_listen, SECCOMP_RET_USER_NOTIF);
  on_call(SYS_bind, SECCOMP_RET_USER_NOTIF);
  if (accepts) {
    on_call(SYS_accept, SECCOMP_RET_USER_NOTIF);
    on_call(SYS_accept4, SECCOMP_RET_USER_NOTIF);
  }
#ifdef SYS_alarm
  on_call(SYS_alarm, SECCOMP_RET_USER_NOTIF);
#endif
  unless_equal(SYS_setitimer, 4);
  load_argument(0);
  unless_equal(ITIMER_REAL_NUMBER, 1);
  give(SECCOMP_RET_USER_NOTIF);
  give(SECCOMP_RET_ALLOW);
  unless_equal(SYS_setsockopt, (unsigned char)(options + 5));
  load_argument(1);
  unless_equal(SOL_SOCKET, (unsigned char)(options + 1));
  load_argument(2);
  for (unsigned char i = 0; i < options; i++) step(BPF_JMP | BPF_JEQ | BPF_K, (unsigned char)(options - i), 0, timeout_options[i]);
  give(SECCOMP_RET_ALLOW);
  give(SECCOMP_RET_USER_NOTIF);
}

static void build(bool supervise, bool accepts) {
  count = 0;
  load(offsetof(struct seccomp_data, arch));
  step(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, NATIVE);
  give(SECCOMP_RET_KILL_PROCESS);
  load(offsetof(struct seccomp_data, nr));
#ifdef __x86_64__
  step(BPF_JMP | BPF_JGE | BPF_K, 0, 1, X32);
  give(REFUSE(ENOSYS));
#endif
  for (size_t i = 0; i < sizeof forbidden / sizeof *forbidden; i++) on_call(forbidden[i], REFUSE(EPERM));
  for (size_t i = 0; i < sizeof absent / sizeof *absent; i++) on_call(absent[i], REFUSE(ENOSYS));
  families_of(SYS_socket);
  families_of(SYS_socketpair);
  namespaces_of(SYS_clone);
  namespaces_of(SYS_unshare);
  if (supervise) reported_calls(accepts);
  give(SECCOMP_RET_ALLOW);
}

int install_filter(const struct options *options, int *flags) {
  struct sock_fprog program = {.filter = steps};
  if (options->supervise) { /* refused where another supervisor is active already, or by a kernel before 5.5 */
    const unsigned long wanted[] = {SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, SECCOMP_FILTER_FLAG_NEW_LISTENER};
    build(true, options->failing_accept);
    program.len = count;
    for (int i = 0; i < 2; i++) {
      long listener = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, wanted[i], &program);
      if (listener < 0) continue;
      *flags |= FLAG_SUPERVISED | FLAG_HARDENED;
      return (int)listener;
    }
  }
  build(false, false);
  program.len = count;
  if (!syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program)) *flags |= FLAG_HARDENED;
  return -1;
}
