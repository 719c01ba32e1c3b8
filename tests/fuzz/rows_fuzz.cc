// The store's keys and records: a damaged data directory is told, and harms nobody. The input: one
// byte that picks a record, then its bytes. Promises: a record that can be read is written and read
// again as the same, a decoder of keys takes only keys of its kind, and dump can print any key.
#include <cstdint>
#include <string>
#include <string_view>

#include "fs/keys.h"
#include "fs/records.h"
#include "tests/fuzz/require.h"

namespace {

using namespace amphora;
using namespace amphora::fs;

template <typename Decode>
void CheckRecord(std::string_view bytes, Decode decode) {
  const auto record = decode(bytes);
  if (!record.ok()) {
    FUZZ_REQUIRE(record.error().code() == ErrorCode::kCorrupt);
    return;
  }
  const std::string written = Encode(*record);
  const auto again = decode(written);
  FUZZ_REQUIRE(again.ok() && Encode(*again) == written);
}

void CheckKey(std::string_view key) {
  FUZZ_REQUIRE(!KeyToText(key).empty());
  if (const auto inode = DecodeInodeOf(key); inode.ok()) FUZZ_REQUIRE(key.size() >= 9);
  if (const auto blob = DecodeBlobOf(key); blob.ok()) FUZZ_REQUIRE(key.size() >= 9);
  if (const auto name = DecodeNameOf(key); name.ok()) {
    FUZZ_REQUIRE(DentryKey(*DecodeInodeOf(key), name->raw, name->directory) == key);
  }
  if (const auto uploaded = DecodeUploadedKeyOf(key); uploaded.ok()) {
    FUZZ_REQUIRE(
        UploadKey(BucketId(DecodeInodeOf(key)->value()), *uploaded, *DecodeUploadOf(key)) == key);
  }
  if (const auto number = DecodePartNumberOf(key); number.ok()) {
    FUZZ_REQUIRE(PartKey(*DecodeUploadOf(key), *number) == key);
  }
  if (const auto offset = DecodeOffsetOf(key); offset.ok()) {
    FUZZ_REQUIRE(ExtentKey(*DecodeInodeOf(key), *offset) == key);
  }
  if (const auto position = DecodePositionOf(key); position.ok()) {
    FUZZ_REQUIRE(PositionKey(*DecodeInodeOf(key), *position) == key);
  }
  if (!key.empty()) (void)DecodeTextOf(key);
  const std::string end = PrefixEnd(key);
  FUZZ_REQUIRE(end.empty() || end > key);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  CheckKey(all);
  const std::string_view bytes = all.substr(1);
  switch (data[0] % 11) {
    case 0:
      CheckRecord(bytes, DecodeInode);
      break;
    case 1:
      CheckRecord(bytes, DecodeDentry);
      break;
    case 2:
      CheckRecord(bytes, DecodePosition);
      break;
    case 3:
      CheckRecord(bytes, DecodeVolume);
      break;
    case 4:
      CheckRecord(bytes, DecodeBucket);
      break;
    case 5:
      CheckRecord(bytes, DecodeExtent);
      break;
    case 6:
      CheckRecord(bytes, DecodeUpload);
      break;
    case 7:
      CheckRecord(bytes, DecodePart);
      break;
    case 8:
      CheckRecord(bytes, DecodeBlob);
      break;
    case 9:
      CheckRecord(bytes, DecodeAccessKey);
      break;
    default:
      CheckRecord(bytes, DecodeReservation);
      break;
  }
  return 0;
}
