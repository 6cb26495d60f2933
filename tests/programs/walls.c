/* Tries what no run may do, and says how it went: one line for each attempt, "name: result". */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static void said(const char *name, long result) {
    if (result >= 0) printf("%s: ALLOWED\n", name);
    else printf("%s: %s\n", name, errno == EPERM ? "EPERM" : errno == ENOSYS ? "ENOSYS" : errno == EACCES ? "EACCES" : strerror(errno));
    fflush(stdout);
}

static void calls(void) {
    char zero[256] = {0};
    said("bpf", syscall(SYS_bpf, 0, zero, sizeof zero));
    said("io_uring_setup", syscall(SYS_io_uring_setup, 4, zero));
    said("keyctl", syscall(SYS_keyctl, 0, -3, 1));
    said("add_key", syscall(SYS_add_key, "user", "x", "y", 1, -3));
    said("perf_event_open", syscall(SYS_perf_event_open, zero, 0, -1, -1, 0));
    said("userfaultfd", syscall(SYS_userfaultfd, 1));
    said("mount", mount("none", "/priv/tmp", "tmpfs", 0, ""));
    said("umount", umount2("/scratch", MNT_DETACH));
    said("pivot_root", syscall(SYS_pivot_root, ".", "."));
    said("chroot", chroot("/priv"));
    said("open_by_handle_at", syscall(SYS_open_by_handle_at, -1, zero, 0));
    said("memfd_create", syscall(SYS_memfd_create, "x", 0));
    said("shmget", syscall(SYS_shmget, 1234, 4096, 01600));
    said("setns", setns(0, 0));
    said("clone3", syscall(435, zero, 64));
    said("unknown", syscall(5000));
}

static void gains(void) {
    said("setuid 0", setuid(0));
    said("setresuid 0", setresuid(0, 0, 0));
    said("setgroups", syscall(SYS_setgroups, 0, NULL));
    struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
    struct __user_cap_data_struct data[2] = {{0xffffffff, 0xffffffff, 0xffffffff}, {0xff, 0xff, 0xff}};
    said("capset", syscall(SYS_capset, &header, data));
    const char *names[] = {"user", "mount", "pid", "net", "ipc", "uts", "cgroup"};
    int flags[] = {CLONE_NEWUSER, CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWNET, CLONE_NEWIPC, CLONE_NEWUTS, CLONE_NEWCGROUP};
    for (int i = 0; i < 7; i++) {
        char text[40];
        snprintf(text, sizeof text, "unshare %s", names[i]);
        said(text, unshare(flags[i]));
        snprintf(text, sizeof text, "clone %s", names[i]);
        long pid = syscall(SYS_clone, flags[i] | SIGCHLD, 0, 0, 0, 0);
        if (pid == 0) _exit(0);
        said(text, pid);
    }
    printf("no new privileges: %s\n", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? "set" : "NOT SET");
}

static void others(int host_pid) {
    char byte;
    struct iovec local = { &byte, 1 }, remote = { (void *)0x400000, 1 };
    int pids[] = {1, host_pid};
    const char *names[] = {"first", "host"};
    for (int i = 0; i < 2; i++) {
        char text[60];
        snprintf(text, sizeof text, "ptrace %s", names[i]);
        said(text, ptrace(PTRACE_ATTACH, pids[i], 0, 0));
        snprintf(text, sizeof text, "process_vm_readv %s", names[i]);
        said(text, syscall(SYS_process_vm_readv, pids[i], &local, 1, &remote, 1, 0));
    }
    said("signal host", kill(host_pid, 0));
}

static void network(int port) {
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int tcp = socket(AF_INET, SOCK_STREAM, 0);
    said("connect", tcp < 0 ? -1 : connect(tcp, (struct sockaddr *)&to, sizeof to));
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    to.sin_port = 0;
    said("bind", listener < 0 ? -1 : bind(listener, (struct sockaddr *)&to, sizeof to));
    said("udp", socket(AF_INET, SOCK_DGRAM, 0));
    said("raw", socket(AF_INET, SOCK_RAW, 1));
    said("packet", socket(AF_PACKET, SOCK_RAW, 0));
    said("vsock", socket(AF_VSOCK, SOCK_STREAM, 0));
}

/* Touches memory until it is stopped. */
static void memory(void) {
    for (long i = 0; i < 8192; i++) {
        char *chunk = malloc(1 << 20);
        if (!chunk) { puts("malloc: refused"); return; }
        memset(chunk, 1, 1 << 20);
    }
    puts("malloc: ALLOWED 8 GiB");
}

/* The same, in children that each stay below a limit of one process. */
static void family(void) {
    for (int i = 0; i < 40; i++) {
        if (fork() == 0) {
            for (int n = 0; n < 200; n++) memset(malloc(1 << 20), 1, 1 << 20);
            pause();
        }
    }
    pause();
}

static void forks(void) {
    int made = 0;
    for (int i = 0; i < 8000; i++) {
        pid_t pid = fork();
        if (pid == 0) { pause(); _exit(0); }
        if (pid < 0) break;
        made++;
    }
    printf("forks: %d\n", made);
}

int main(int argc, char **argv) {
    const char *what = argc > 1 ? argv[1] : "";
    int number = argc > 2 ? atoi(argv[2]) : 0;
    if (!strcmp(what, "calls")) calls();
    else if (!strcmp(what, "gains")) gains();
    else if (!strcmp(what, "others")) others(number);
    else if (!strcmp(what, "network")) network(number);
    else if (!strcmp(what, "memory")) memory();
    else if (!strcmp(what, "family")) family();
    else if (!strcmp(what, "forks")) forks();
    return 0;
}
