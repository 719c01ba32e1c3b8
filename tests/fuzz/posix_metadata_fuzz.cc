// User metadata that says mode, owner and mtime, as any client may send it. Promises: no power is
// given (setuid, setgid), no owner is the one that means "none", and what we show of an object is
// read as that again.
#include <cstdint>
#include <string>
#include <string_view>

#include "fs/ops/posix_metadata.h"
#include "tests/fuzz/require.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace amphora::fs;
  const std::string text(reinterpret_cast<const char*>(data), size);
  for (const char* family :
       {"mode uid gid mtime", "file-permissions file-owner file-group file-mtime"}) {
    ObjectInfo info;
    std::string_view names = family;
    while (!names.empty()) {
      const std::size_t blank = names.find(' ');
      info.metadata.user.emplace_back(names.substr(0, blank), text);
      names.remove_prefix(blank == std::string_view::npos ? names.size() : blank + 1);
    }
    const GivenPosix given = ReadPosixMetadata(info.metadata);
    FUZZ_REQUIRE(given.permissions.value_or(0) <= 01777);
    FUZZ_REQUIRE(given.uid.value_or(0) != UINT32_MAX);
    FUZZ_REQUIRE(given.gid.value_or(0) != UINT32_MAX);
    info.permissions = given.permissions.value_or(0);
    info.uid = given.uid.value_or(0);
    info.gid = given.gid.value_or(0);
    info.modified = given.modified.value_or(amphora::Time());
    info.metadata = {};
    for (const PosixMetadata which : {PosixMetadata::kS3fs, PosixMetadata::kAws}) {
      ObjectInfo shown = info;
      AddPosixMetadata(which, shown);
      const GivenPosix again = ReadPosixMetadata(shown.metadata);
      FUZZ_REQUIRE(again.permissions == info.permissions);
      FUZZ_REQUIRE(again.uid == info.uid && again.gid == info.gid);
      FUZZ_REQUIRE(again.modified == info.modified);
    }
  }
  return 0;
}
