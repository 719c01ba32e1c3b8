// Access keys of the S3 face and their secrets. Blocking, thread-safe. Secrets are never logged.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fs/types.h"

namespace amphora::fs {

class Core;

struct AccessKey {
  std::string id;      // up to 128 bytes of printable ASCII, may contain / @ : +
  std::string secret;  // 64 hex digits
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::string owner;
  Time created;
};

class Credentials {
 public:
  explicit Credentials(Core& core) : core_(core) {}

  // The secret of access key `id`, made durably from the system's random source when there is none.
  Result<AccessKey> GetOrCreate(std::string_view id, const Caller& caller, std::string_view owner);
  // Takes effect for the next request. kNoSuchKey.
  Status Revoke(std::string_view id);
  // kNoSuchKey. Cached: costs no store read when it was asked before.
  Result<AccessKey> Find(std::string_view id);
  // Without secrets.
  Result<std::vector<AccessKey>> List();

 private:
  Core& core_;
};

}  // namespace amphora::fs
