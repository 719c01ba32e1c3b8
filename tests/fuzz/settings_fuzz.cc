// Words of operators: amounts, owners and modes of `bucket set`, its JSON at the control socket,
// the words of mount -o, and what mount(8) gives its helper. Promises: every number is within its
// limit, a refusal names a word of the text and changes nothing, and a setting that was read is
// shown as read.
#include <cstdint>
#include <string>
#include <string_view>

#include "cli/bucket_settings.h"
#include "cli/mount_helper.h"
#include "mount/session.h"
#include "tests/fuzz/require.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace amphora;
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (const auto amount = cli::ParseAmount(text)) FUZZ_REQUIRE(*amount <= std::uint64_t{1} << 62);
  if (const auto owner = cli::ParseOwner(text)) {
    FUZZ_REQUIRE(owner->uid != UINT32_MAX && owner->gid != UINT32_MAX);
  }
  if (const auto bits = cli::ParsePermissions(text)) FUZZ_REQUIRE(*bits <= 0777);

  mount::MountOptions options;
  std::string culprit;
  if (!mount::ParseMountOptions(text, options, culprit).ok()) {
    FUZZ_REQUIRE(text.find(culprit) != std::string::npos);
    FUZZ_REQUIRE(!options.read_only && !options.uid && !options.gid && options.umask == 0);
  }
  FUZZ_REQUIRE(options.umask <= 0777 && options.uid.value_or(0) != UINT32_MAX);

  const std::vector<std::string> helped = {"/s3v", "/mnt", "-o", text};
  const auto ours = cli::TranslateMountArguments(helped);
  FUZZ_REQUIRE(ours && ours->size() >= 3 && ours->at(1) == "/s3v");

  const cli::Json body = cli::Json::parse(text, nullptr, false);
  if (!body.is_object()) return 0;
  const auto change = cli::ReadSettings(body);
  if (!change) return 0;
  fs::BucketSettings settings;
  if (change->quota_bytes) settings.quota_bytes = *change->quota_bytes;
  if (change->s3_permissions) settings.s3_permissions = *change->s3_permissions;
  if (change->publish) settings.publish = *change->publish;
  const auto again = cli::ReadSettings(cli::WriteSettings(settings));
  FUZZ_REQUIRE(again && again->publish == settings.publish);
  FUZZ_REQUIRE(*again->quota_bytes == settings.quota_bytes);
  FUZZ_REQUIRE(*again->s3_permissions == settings.s3_permissions);
  return 0;
}
