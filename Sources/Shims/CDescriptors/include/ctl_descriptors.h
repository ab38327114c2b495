#ifndef CTL_DESCRIPTORS_H
#define CTL_DESCRIPTORS_H

/// How often a look at a worker thread's state got no descriptor, and was answered "not known" instead of a crash.
/// Counted since the program's start, by all threads.
unsigned long ctl_looks_without_descriptor(void);

#endif
