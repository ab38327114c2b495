#ifndef CTL_SPAWN_H
#define CTL_SPAWN_H

#include <stdint.h>
#include <sys/types.h>

/// What a detached process is started with. Strings that may be NULL say so; all others must not be.
struct ctl_spec {
    const char *path;            // the program, already looked up: there is no PATH search after the fork
    char *const *argv;           // ends with NULL
    char *const *envp;           // ends with NULL
    const char *cwd;             // NULL: the caller's
    const char *log;             // stdout and stderr, appended; NULL: /dev/null
    const char *cgroup_procs;    // a cgroup.procs file to enter; NULL: none
    uint64_t rlim_as;            // bytes of address space; 0: as the caller's
    uint64_t rlim_nofile;        // open files; 0: as the caller's
    int oom_score_adj;           // 0: as the caller's
    int nice;                    // 0: as the caller's
};

/// The step of ctl_spawn that failed.
enum ctl_stage {
    CTL_STAGE_PREPARE = 0,
    CTL_STAGE_FORK,
    CTL_STAGE_SESSION,
    CTL_STAGE_CGROUP,
    CTL_STAGE_OOM,
    CTL_STAGE_LIMITS,
    CTL_STAGE_NICE,
    CTL_STAGE_LOG,
    CTL_STAGE_DIRECTORY,
    CTL_STAGE_DESCRIPTORS,
    CTL_STAGE_EXEC,
};

/// Starts a process in a session and process group of its own, that outlives its parent.
/// Returns 0, or the errno of the step that failed; then nothing runs and nothing is to be reaped.
int ctl_spawn(const struct ctl_spec *spec, pid_t *pid, int *pidfd, int *stage);

/// A descriptor for the process, or the negative errno.
int ctl_pidfd_open(pid_t pid);

/// 0 or errno; ESRCH once the process was reaped.
int ctl_pidfd_signal(int pidfd, int signal);

/// 1 when the process ended (a zombie has), 0 while it runs, the negative errno otherwise.
int ctl_pidfd_ended(int pidfd);

/// Reaps a child. Returns 0 with either *code or *signal set and the other 0, EAGAIN while it runs, ECHILD when it
/// is not our child, or was reaped before.
int ctl_pidfd_reap(int pidfd, int *code, int *signal);

/// The exit status of any process, once its parent reaped it (Linux 6.15). Returns 0 as above, ENODATA when the
/// kernel does not know (yet), ENOTTY or EINVAL when it cannot.
int ctl_pidfd_exit_status(int pidfd, int *code, int *signal);

#endif
