// The one error type of every layer. 16 bytes, never allocates: "not found" is the commonest answer
// of both faces. Text is made only when printed. Thread-safe: a value.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace amphora {

enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarning, kError };

enum class ErrorCode : std::uint16_t {
#define AMPHORA_ERROR(name, number, level, meaning) name = number,
#include "meta/base/errors.def"
#undef AMPHORA_ERROR
};

class Error {
 public:
  // `detail` must have static storage duration: it says which of several causes it was.
  constexpr explicit Error(ErrorCode code, const char* detail = nullptr)
      : detail_(detail), code_(code) {}
  // The same with the system's errno, for kIo and kNoSpace.
  constexpr Error(ErrorCode code, const char* detail, int system_errno)
      : detail_(detail), code_(code), errno_(static_cast<std::int16_t>(system_errno)) {}

  // Chooses the code from an errno of a system call on the data directory.
  static Error FromErrno(int system_errno, const char* detail);

  constexpr ErrorCode code() const { return code_; }
  constexpr int system_errno() const { return errno_; }
  constexpr std::string_view detail() const { return detail_ ? detail_ : std::string_view(); }

  // "no such name (detail): errno's text"
  std::string ToString() const;

  friend constexpr bool operator==(const Error& a, const Error& b) { return a.code_ == b.code_; }

 private:
  const char* detail_ = nullptr;
  ErrorCode code_;
  std::int16_t errno_ = 0;
};
static_assert(sizeof(Error) == 16);

// "NotFound" for kNotFound.
std::string_view Name(ErrorCode code);
std::string_view Meaning(ErrorCode code);
LogLevel LevelOf(ErrorCode code);

}  // namespace amphora
