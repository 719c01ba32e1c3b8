// Tests that only root can run: other users are told why, and tests/allowed-skips lets them pass
// by.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

// In a test's body or SetUp: skips the test for a user who is not root, who `reason` ("can't …").
#define AMPHORA_ROOT_ONLY(reason) \
  if (geteuid() != 0) GTEST_SKIP() << "a user who is not root " reason
