#include "ctl_spawn.h"
