// Who holds what, read from /proc for error messages that help: a listening port, a locked file.
// Empty answers where the kernel does not let us look. Thread-safe.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

namespace amphora::cli {

// "pid 123 (nginx)", or "".
std::string DescribeProcess(long pid);

// Who listens on TCP port `port` (proc(5): /proc/net/tcp, /proc/PID/fd), described; "" if unknown.
std::string FindPortHolder(std::uint16_t port);

// The process that holds a lock (proc(5): /proc/locks) on a file in `directory` or one level below,
// other than this one; none if unknown.
std::optional<pid_t> LockHolder(const std::string& directory);
// The same, described; "" if unknown.
std::string FindLockHolder(const std::string& directory);

}  // namespace amphora::cli
