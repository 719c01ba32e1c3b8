// The Authorization header and the presigned query. Promises: what parses has all its parts within
// their limits and is read the same again when written out; nobody gets in who does not know the
// secret.
#include <cstdint>
#include <string>
#include <string_view>

#include "s3/auth/credential.h"
#include "s3/auth/sigv4.h"
#include "tests/fuzz/require.h"

namespace {

using namespace amphora;
using namespace amphora::s3;

constexpr Time kNow(1369353600ll * 1'000'000'000);  // 2013-05-24

void CheckCredential(const auth::Credential& credential) {
  FUZZ_REQUIRE(!credential.access_key.empty() && credential.access_key.size() <= 128);
  FUZZ_REQUIRE(credential.day.size() == 8);
  const auto again = auth::ParseCredential(credential.access_key + "/" + credential.Scope());
  FUZZ_REQUIRE(again && again->access_key == credential.access_key && again->day == credential.day);
  FUZZ_REQUIRE(again->region == credential.region && again->service == credential.service);
}

void CheckHeader(std::string_view text) {
  const auto claim = auth::ParseAuthorization(text);
  if (!claim) {
    FUZZ_REQUIRE(!claim.error().Message().empty());
    return;
  }
  CheckCredential(claim->credential);
  std::string again = "AWS4-HMAC-SHA256 Credential=" + claim->credential.access_key + "/" +
                      claim->credential.Scope() + ",SignedHeaders=";
  for (const std::string& name : claim->signed_headers) again += name + ";";
  again.back() = ',';
  again += "Signature=" + claim->signature;
  const auto same = auth::ParseAuthorization(again);
  // Writing it out lengthens a header that was at the limit.
  FUZZ_REQUIRE(same || again.size() > auth::kMaxAuthorizationBytes);
  if (same) FUZZ_REQUIRE(same->signed_headers == claim->signed_headers);
}

void CheckQuery(std::string_view text) {
  const auto query = ParseQuery(text);
  if (!query) return;
  const auto claim = auth::ParsePresigned(*query);
  if (!claim) return;
  FUZZ_REQUIRE(auth::ClaimsToBePresigned(*query));
  FUZZ_REQUIRE(claim->presigned && claim->expires_seconds >= 1);
  FUZZ_REQUIRE(claim->expires_seconds <= auth::kMaxPresignedSeconds);
  CheckCredential(claim->credential);
}

void CheckNobodyGetsIn(std::string_view text) {
  static const SigV4Verifier verifier("us-east-1");
  const KeyLookup lookup = [](std::string_view id) -> Result<fs::AccessKey> {
    return fs::AccessKey{.id = std::string(id),
                         .secret = "not in any corpus",
                         .uid = 0,
                         .gid = 0,
                         .owner = {},
                         .created = {}};
  };
  const HeaderField headers[] = {{"Host", "localhost"},
                                 {"x-amz-date", "20130524T000000Z"},
                                 {"x-amz-content-sha256", "UNSIGNED-PAYLOAD"},
                                 {"Authorization", text}};
  FUZZ_REQUIRE(!verifier.Verify(
      {.method = "GET", .raw_path = "/a", .raw_query = {}, .headers = headers}, kNow, lookup));
  FUZZ_REQUIRE(!verifier.Verify({.method = "GET",
                                 .raw_path = "/a",
                                 .raw_query = text,
                                 .headers = std::span(headers).first(1)},
                                kNow, lookup));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  CheckHeader(text);
  CheckQuery(text);
  CheckNobodyGetsIn(text);
  return 0;
}
