// While work waits, libdispatch looks once a second which of its worker threads run: it opens /proc/<thread>/stat and
// takes any error for a thread that is gone, which ends the process by SIGILL (src/event/workqueue.c,
// _dispatch_workq_count_runnable_workers). A process without a free descriptor would die of it, in the middle of a
// rollback if need be. So this program has an `open` of its own, which answers such a look with a descriptor that
// cannot be read. libdispatch takes that for a thread that does not run: at worst it starts one thread more.

#define _GNU_SOURCE

#include "ctl_descriptors.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static atomic_ulong looks_without_descriptor;

unsigned long ctl_looks_without_descriptor(void) {
    return atomic_load_explicit(&looks_without_descriptor, memory_order_relaxed);
}

/// `/proc/<digits>/stat`, and nothing more.
static bool is_thread_state(const char *path) {
    static const char folder[] = "/proc/";
    if (strncmp(path, folder, sizeof(folder) - 1) != 0) return false;
    const char *digits = path + sizeof(folder) - 1;
    size_t count = strspn(digits, "0123456789");
    return count > 0 && strcmp(digits + count, "/stat") == 0;
}

// As the C library's, a point of cancellation apart: nothing here cancels threads.
int open(const char *path, int flags, ...) {
    mode_t mode = 0;
    if ((flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE) {
        va_list rest;
        va_start(rest, flags);
        mode = va_arg(rest, mode_t);
        va_end(rest);
    }
    long descriptor = syscall(SYS_openat, AT_FDCWD, path, flags, mode);
    if (descriptor < 0 && (errno == EMFILE || errno == ENFILE) && is_thread_state(path)) {
        atomic_fetch_add_explicit(&looks_without_descriptor, 1, memory_order_relaxed);
        return INT_MAX;
    }
    return (int)descriptor;
}
