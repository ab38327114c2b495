#define _GNU_SOURCE
#include "ctl_spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// Linux 5.4; the glibc of Debian 12 has it, older ones only the number.
#ifndef P_PIDFD
#define P_PIDFD 3
#endif

// Linux 6.13 and 6.15; younger than the kernel headers of Debian 12.
struct ctl_pidfd_info {
    uint64_t mask;
    uint64_t cgroupid;
    uint32_t pid, tgid, ppid, ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
    int32_t exit_code;
    uint32_t coredump_mask, coredump_signal;
};
#define CTL_PIDFD_GET_INFO _IOWR(0xFF, 11, struct ctl_pidfd_info)
#define CTL_PIDFD_INFO_EXIT (UINT64_C(1) << 3)

struct ctl_failure {
    int stage;
    int error;
};

// Everything from here to execve runs between fork and exec of a program with many threads: only functions that are
// safe in a signal handler.

static void fail(int report, int stage, int error) {
    struct ctl_failure failure = {.stage = stage, .error = error};
    ssize_t written = write(report, &failure, sizeof failure);
    (void)written;  // the parent is gone: nobody wants to know
    _exit(127);
}

static int write_text(const char *path, const char *text, size_t length) {
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return errno;
    ssize_t written = write(fd, text, length);
    int error = written < 0 ? errno : 0;
    close(fd);
    return error;
}

static int write_number(const char *path, int number) {
    char text[16];
    size_t at = sizeof text;
    unsigned magnitude = number < 0 ? 0u - (unsigned)number : (unsigned)number;
    do {
        text[--at] = (char)('0' + magnitude % 10);
        magnitude /= 10;
    } while (magnitude > 0);
    if (number < 0) text[--at] = '-';
    return write_text(path, text + at, sizeof text - at);
}

static int lower_limit(int resource, uint64_t value) {
    struct rlimit limit;
    if (getrlimit(resource, &limit) != 0) return errno;
    if (limit.rlim_max != RLIM_INFINITY && value > limit.rlim_max) value = limit.rlim_max;
    limit.rlim_cur = value;
    limit.rlim_max = value;
    return setrlimit(resource, &limit) == 0 ? 0 : errno;
}

static void apply_limits(const struct ctl_spec *spec, int report) {
    int error;
    if (spec->cgroup_procs != NULL && (error = write_text(spec->cgroup_procs, "0", 1)) != 0)
        fail(report, CTL_STAGE_CGROUP, error);
    if (spec->oom_score_adj != 0 && (error = write_number("/proc/self/oom_score_adj", spec->oom_score_adj)) != 0)
        fail(report, CTL_STAGE_OOM, error);
    if (spec->rlim_nofile != 0 && (error = lower_limit(RLIMIT_NOFILE, spec->rlim_nofile)) != 0)
        fail(report, CTL_STAGE_LIMITS, error);
    if (spec->rlim_as != 0 && (error = lower_limit(RLIMIT_AS, spec->rlim_as)) != 0)
        fail(report, CTL_STAGE_LIMITS, error);
    if (spec->nice != 0 && setpriority(PRIO_PROCESS, 0, spec->nice) != 0)
        fail(report, CTL_STAGE_NICE, errno);
}

static void redirect(const struct ctl_spec *spec, int report) {
    int in = open("/dev/null", O_RDONLY);
    if (in < 0 || (in != 0 && dup2(in, 0) < 0)) fail(report, CTL_STAGE_LOG, errno);
    const char *log = spec->log != NULL ? spec->log : "/dev/null";
    int out = open(log, O_WRONLY | O_APPEND | O_CREAT | O_NOCTTY | O_NOFOLLOW, 0640);
    if (out < 0) fail(report, CTL_STAGE_LOG, errno);
    if ((out != 1 && dup2(out, 1) < 0) || (out != 2 && dup2(out, 2) < 0)) fail(report, CTL_STAGE_LOG, errno);
}

// All descriptors but 0 to 2 and the one to report by. At once, not at the exec: one of them may be what another thread
// writes a program through, which nobody can execute for as long.
static void close_inherited(int report) {
    if (report > 3 && close_range(3, (unsigned)report - 1, 0) != 0) fail(report, CTL_STAGE_DESCRIPTORS, errno);
    if (close_range((unsigned)report + 1, ~0U, 0) != 0) fail(report, CTL_STAGE_DESCRIPTORS, errno);
}

// A program that is open for writing, by whoever puts it in place or by a process that was forked meanwhile and has not
// closed what it inherited, is free in a moment. No longer than half a second: the parent waits for this.
static void execute(const struct ctl_spec *spec, int report) {
    const struct timespec pause = {.tv_sec = 0, .tv_nsec = 10 * 1000 * 1000};
    for (int attempt = 0; attempt < 50; attempt++) {
        execve(spec->path, spec->argv, spec->envp);
        if (errno != ETXTBSY) fail(report, CTL_STAGE_EXEC, errno);
        nanosleep(&pause, NULL);
    }
    fail(report, CTL_STAGE_EXEC, ETXTBSY);
}

static void child(const struct ctl_spec *spec, int report, pid_t parent) {
    // Until the exec the process is a copy of its parent, which nobody could recognise as a replica: it must not
    // survive a parent that is killed now.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(127);

    // Handlers vanish at the exec by themselves, but ignored signals stay ignored, and a blocked mask stays blocked.
    struct sigaction standard;
    memset(&standard, 0, sizeof standard);
    standard.sa_handler = SIG_DFL;
    for (int number = 1; number < NSIG; number++) sigaction(number, &standard, NULL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);

    close_inherited(report);
    if (setsid() < 0) fail(report, CTL_STAGE_SESSION, errno);
    redirect(spec, report);
    apply_limits(spec, report);
    if (spec->cwd != NULL && chdir(spec->cwd) != 0) fail(report, CTL_STAGE_DIRECTORY, errno);
    if (close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) != 0) fail(report, CTL_STAGE_DESCRIPTORS, errno);
    prctl(PR_SET_PDEATHSIG, 0);
    execute(spec, report);
}

// A pipe whose ends cannot collide with the descriptors 0 to 2 that the child replaces.
static int report_pipe(int ends[2]) {
    if (pipe2(ends, O_CLOEXEC) != 0) return errno;
    for (int i = 0; i < 2; i++) {
        if (ends[i] > 2) continue;
        int moved = fcntl(ends[i], F_DUPFD_CLOEXEC, 3);
        int error = errno;
        close(ends[i]);
        ends[i] = moved;
        if (moved < 0) {
            close(ends[1 - i]);
            return error;
        }
    }
    return 0;
}

int ctl_spawn(const struct ctl_spec *spec, pid_t *pid, int *pidfd, int *stage) {
    int ends[2];
    *stage = CTL_STAGE_PREPARE;
    int error = report_pipe(ends);
    if (error != 0) return error;

    // No handler of ours may run in the child.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t parent = getpid();
    pid_t born = fork();
    if (born == 0) {
        child(spec, ends[1], parent);
        _exit(127);
    }
    error = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(ends[1]);
    if (born < 0) {
        close(ends[0]);
        *stage = CTL_STAGE_FORK;
        return error;
    }

    int fd = ctl_pidfd_open(born);
    struct ctl_failure failure = {0, 0};
    ssize_t count;
    do {
        count = read(ends[0], &failure, sizeof failure);
    } while (count < 0 && errno == EINTR);
    close(ends[0]);
    if (count != (ssize_t)sizeof failure && fd >= 0) {
        *pid = born;
        *pidfd = fd;
        return 0;
    }
    if (count != (ssize_t)sizeof failure) {
        // It runs, but without a descriptor nobody could watch it.
        kill(born, SIGKILL);
        failure.error = -fd;
    }
    if (fd >= 0) close(fd);
    while (waitpid(born, NULL, 0) < 0 && errno == EINTR) {
    }
    *stage = failure.stage;
    return failure.error;
}

int ctl_pidfd_open(pid_t pid) {
    long fd = syscall(SYS_pidfd_open, pid, 0);
    return fd < 0 ? -errno : (int)fd;
}

int ctl_pidfd_signal(int pidfd, int signal) {
    return syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0) == 0 ? 0 : errno;
}

int ctl_pidfd_ended(int pidfd) {
    struct pollfd item = {.fd = pidfd, .events = POLLIN, .revents = 0};
    int count;
    do {
        count = poll(&item, 1, 0);
    } while (count < 0 && errno == EINTR);
    if (count < 0) return -errno;
    return count > 0 && (item.revents & (POLLIN | POLLHUP)) != 0;
}

int ctl_pidfd_reap(int pidfd, int *code, int *signal) {
    siginfo_t info;
    memset(&info, 0, sizeof info);
    int result;
    do {
        result = waitid((idtype_t)P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG);
    } while (result != 0 && errno == EINTR);
    if (result != 0) return errno;
    if (info.si_pid == 0) return EAGAIN;
    *code = info.si_code == CLD_EXITED ? info.si_status : 0;
    *signal = info.si_code == CLD_EXITED ? 0 : info.si_status;
    return 0;
}

int ctl_pidfd_exit_status(int pidfd, int *code, int *signal) {
    struct ctl_pidfd_info info;
    memset(&info, 0, sizeof info);
    info.mask = CTL_PIDFD_INFO_EXIT;
    if (ioctl(pidfd, CTL_PIDFD_GET_INFO, &info) != 0) return errno == ESRCH ? ENODATA : errno;
    if ((info.mask & CTL_PIDFD_INFO_EXIT) == 0) return ENODATA;
    *code = WIFEXITED(info.exit_code) ? WEXITSTATUS(info.exit_code) : 0;
    *signal = WIFSIGNALED(info.exit_code) ? WTERMSIG(info.exit_code) : 0;
    return 0;
}
