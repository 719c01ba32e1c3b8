// libfuse's low-level API at the version that this folder is written for. Every file here that
// needs libfuse includes this header and no other; nothing outside of mount/ does.
#pragma once

#define FUSE_USE_VERSION FUSE_MAKE_VERSION(3, 18)

#include <fuse_lowlevel.h>
