// Result<T>: the value of a fallible function, or its Error. A thin [[nodiscard]] class over
// std::expected, so that no caller can forget to look. Thread-safe: a value.
#pragma once

#include <expected>
#include <utility>

#include "meta/base/error.h"

namespace amphora {

template <typename T>
class [[nodiscard]] Result : public std::expected<T, Error> {
 public:
  using Base = std::expected<T, Error>;
  using Base::Base;
  Result(Error error) : Base(std::unexpect, error) {}  // NOLINT(google-explicit-constructor)
  Result(ErrorCode code)
      : Base(std::unexpect, Error(code)) {}  // NOLINT(google-explicit-constructor)
  bool ok() const { return this->has_value(); }
  // True when this failed with `code`.
  bool Is(ErrorCode code) const { return !ok() && this->error().code() == code; }
};

using Status = Result<void>;

// The value for a Status that succeeded.
inline Status Ok() { return Status(std::in_place); }

}  // namespace amphora

#define AMPHORA_CONCAT_INNER(a, b) a##b
#define AMPHORA_CONCAT(a, b) AMPHORA_CONCAT_INNER(a, b)

// Returns from the enclosing function when `expr` (a Result) failed.
#define AMPHORA_TRY(expr)                                     \
  do {                                                        \
    if (auto amphora_result = (expr); !amphora_result.ok()) { \
      return amphora_result.error();                          \
    }                                                         \
  } while (false)

// AMPHORA_ASSIGN(auto row, store.Get(key)): declares `row` or returns the error.
#define AMPHORA_ASSIGN(declaration, expr) \
  AMPHORA_ASSIGN_INNER(declaration, expr, AMPHORA_CONCAT(amphora_result_, __LINE__))
#define AMPHORA_ASSIGN_INNER(declaration, expr, temporary) \
  auto temporary = (expr);                                 \
  if (!temporary.ok()) return temporary.error();           \
  declaration = std::move(*temporary)
