// What S3 clients are told when a request fails: code, status and message, from one table
// (s3_errors.def), and the one translation of engine errors. Thread-safe: values.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "meta/base/error.h"
#include "s3/auth/failure.h"
#include "s3/aws_chunked.h"

namespace amphora::s3 {

enum class S3Code : std::uint8_t {
#define S3_ERROR(name, code, status, message) name,
#include "s3/s3_errors.def"
#undef S3_ERROR
};

// One failed request. `details` become elements of the answer's <Error> in their order, `headers`
// header fields; neither may hold a secret.
struct Failure {
  unsigned status = 500;
  std::string_view code;  // static storage
  std::string message;
  LogLevel level = LogLevel::kInfo;
  std::string cause = {};  // for the log only: the engine's words
  std::vector<std::pair<std::string, std::string>> details = {};
  std::vector<std::pair<std::string, std::string>> headers = {};

  explicit Failure(S3Code code);
  Failure(S3Code code, std::string_view message);
  // Of the same failure, one more element in the answer's body.
  Failure&& With(std::string_view element, std::string_view value) &&;
  bool Is(S3Code other) const;

 private:
  friend Failure FromAuth(const AuthError& error);
  friend Failure FromChunked(ChunkedFailure failure);
  Failure() = default;
};

template <typename T>
using Outcome = std::expected<T, Failure>;

// What an engine call was about, for the codes that S3 splits (a bad name of a bucket, of a key).
enum class Subject : std::uint8_t { kBucket, kObject };
S3Code CodeOf(ErrorCode code, Subject subject);
Failure FromEngine(const Error& error, Subject subject);
Failure FromAuth(const AuthError& error);
Failure FromChunked(ChunkedFailure failure);

inline std::unexpected<Failure> Fail(S3Code code) { return std::unexpected(Failure(code)); }
inline std::unexpected<Failure> Fail(S3Code code, std::string_view message) {
  return std::unexpected(Failure(code, message));
}

// The standard reason phrase of a status that this server answers.
std::string_view ReasonPhrase(unsigned status);

}  // namespace amphora::s3
