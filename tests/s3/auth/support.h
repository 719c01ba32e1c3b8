// A request that owns its text, and a signer written from the specification apart from the
// verifier's own parts, so that tests can sign what no client library would send.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "s3/auth/sigv4.h"

namespace amphora::s3::test {

inline constexpr std::string_view kAwsKey = "AKIAIOSFODNN7EXAMPLE";
inline constexpr std::string_view kAwsSecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
inline constexpr std::string_view kHashOfNothing =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

struct TestRequest {
  std::string method = "GET";
  std::string path = "/";
  std::string query = {};
  std::vector<std::pair<std::string, std::string>> headers = {};

  void SetHeader(std::string_view name, std::string_view value);
  void RemoveHeader(std::string_view name);
};

// Knows one key: `id` with `secret`, uid 1000, gid 1001, owner "alice".
KeyLookup OneKey(std::string_view id, std::string_view secret);

// 2013-05-24T00:00:00Z and `seconds` later.
Time AwsExampleTime(std::int64_t seconds = 0);

std::expected<Identity, AuthError> Verify(const TestRequest& request, Time now,
                                          const KeyLookup& lookup);
// With AWS's example key at its time.
std::expected<Identity, AuthError> Verify(const TestRequest& request);

struct SignOptions {
  std::string access_key{kAwsKey};
  std::string secret{kAwsSecret};
  std::string timestamp = "20130524T000000Z";
  std::string day = "20130524";
  std::string region = "us-east-1";
  std::string service = "s3";
  std::string canonical_path = {};               // empty: the request's path as it is
  std::vector<std::string> signed_headers = {};  // sorted, lower case; empty: all of the request
};

// Adds x-amz-date (unless there is a Date header), x-amz-content-sha256 (of nothing, unless
// present), Host and Authorization.
void SignByHeader(TestRequest& request, const SignOptions& options = {});

// Sets the query of a presigned request. `expires`: the text of X-Amz-Expires.
void Presign(TestRequest& request, std::string_view expires, const SignOptions& options = {});

// The signature of `string_to_sign`.
std::string Sign(const SignOptions& options, std::string_view string_to_sign);

}  // namespace amphora::s3::test
