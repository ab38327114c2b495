#ifndef CTL_SPAWN_H
#define CTL_SPAWN_H
#endif
