// The key codec; the table of all keys is in keys.h.
#include "fs/keys.h"

#include <array>

namespace amphora::fs {
namespace {

constexpr std::size_t kIdBytes = 8;

void AppendId(std::string& key, std::uint64_t id) {
  std::array<char, kIdBytes> bytes;
  for (std::size_t i = 0; i < kIdBytes; ++i) {
    bytes[i] = static_cast<char>(id >> (8 * (kIdBytes - 1 - i)));
  }
  key.append(bytes.data(), bytes.size());
}

std::uint64_t TakeId(std::string_view bytes) {
  std::uint64_t id = 0;
  for (std::size_t i = 0; i < kIdBytes; ++i) {
    id = id << 8 | static_cast<unsigned char>(bytes[i]);
  }
  return id;
}

std::string Make(RowKind kind, std::string_view text) {
  std::string key;
  key.reserve(1 + text.size());
  key.push_back(static_cast<char>(kind));
  key.append(text);
  return key;
}

std::string Make(RowKind kind, std::uint64_t id, std::string_view text = {}) {
  std::string key;
  key.reserve(2 + kIdBytes + text.size());
  key.push_back(static_cast<char>(kind));
  AppendId(key, id);
  key.append(text);
  return key;
}

bool HasInode(char kind) {
  return std::string_view("CDEIJKLMOSTUWXZ").find(kind) != std::string_view::npos;
}

}  // namespace

std::string AccessKeyKey(std::string_view id) { return Make(RowKind::kAccessKey, id); }
std::string BlobKey(BlobId blob) { return Make(RowKind::kBlob, blob.value()); }
std::string DentryKey(InodeId directory, std::string_view raw, bool is_directory) {
  std::string key = Make(RowKind::kDentry, directory.value(), raw);
  if (is_directory) key.push_back('/');
  return key;
}
std::string ExtentKey(InodeId inode, std::uint64_t offset) {
  std::string key = Make(RowKind::kExtent, inode.value());
  AppendId(key, offset);
  return key;
}
std::string UploadBlobKey(UploadId upload, BlobId blob) {
  std::string key = Make(RowKind::kUploadBlob, upload.value());
  AppendId(key, blob.value());
  return key;
}
std::string JoinKey(InodeId inode) { return Make(RowKind::kJoin, inode.value()); }
std::string UploadKey(BucketId bucket, std::string_view key, UploadId upload) {
  std::string row = UploadsFrom(bucket, key).begin;
  row.push_back('\0');
  AppendId(row, upload.value());
  return row;
}
std::string PartKey(UploadId upload, std::uint32_t number) {
  std::string key = Make(RowKind::kPart, upload.value());
  for (int shift = 24; shift >= 0; shift -= 8) key.push_back(static_cast<char>(number >> shift));
  return key;
}
std::string FinishedUploadKey(UploadId upload) {
  return Make(RowKind::kFinishedUpload, upload.value());
}
std::string PartChecksumsKey(InodeId inode) { return Make(RowKind::kPartChecksums, inode.value()); }
std::string GarbageKey(BlobId blob) { return Make(RowKind::kGarbage, blob.value()); }
std::string InodeKey(InodeId inode) { return Make(RowKind::kInode, inode.value()); }
std::string BucketKey(VolumeId volume, std::string_view name) {
  return Make(RowKind::kBucket, volume.value(), name);
}
std::string PositionKey(InodeId directory, std::uint64_t position) {
  std::string key = Make(RowKind::kPosition, directory.value());
  AppendId(key, position);
  return key;
}
std::string OrphanKey(InodeId inode) { return Make(RowKind::kOrphan, inode.value()); }
std::string ReservationKey(std::string_view name) { return Make(RowKind::kReservation, name); }
std::string DirectoryStatKey(InodeId directory) {
  return Make(RowKind::kDirectoryStat, directory.value());
}
std::string LinkToKey(BucketId bucket, InodeId link) {
  std::string key = Make(RowKind::kLinkTo, bucket.value());
  AppendId(key, link.value());
  return key;
}
std::string UsageKey(BucketId bucket) { return Make(RowKind::kUsage, bucket.value()); }
std::string VolumeKey(std::string_view name) { return Make(RowKind::kVolume, name); }
std::string OpenForWriteKey(InodeId inode) { return Make(RowKind::kOpenForWrite, inode.value()); }
std::string XattrKey(InodeId inode, std::string_view name) {
  return Make(RowKind::kXattr, inode.value(), name);
}
std::string VanishingKey(InodeId directory) { return Make(RowKind::kVanishing, directory.value()); }
std::string ContentKey(InodeId inode) {
  std::string key;
  AppendId(key, inode.value());
  return key;
}

std::string PrefixEnd(std::string_view prefix) {
  std::string end(prefix);
  while (!end.empty() && static_cast<unsigned char>(end.back()) == 0xff) end.pop_back();
  if (!end.empty()) end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1);
  return end;
}

meta::KeyRange RangeOf(RowKind kind) {
  std::string begin = Make(kind, std::string_view());
  std::string end = PrefixEnd(begin);
  return {std::move(begin), std::move(end)};
}

meta::KeyRange RangeOf(RowKind kind, InodeId inode) {
  std::string begin = Make(kind, inode.value());
  std::string end = PrefixEnd(begin);
  return {std::move(begin), std::move(end)};
}

meta::KeyRange RangeOf(RowKind kind, UploadId upload) {
  return RangeOf(kind, InodeId(upload.value()));
}

meta::KeyRange UploadsFrom(BucketId bucket, std::string_view key) {
  meta::KeyRange range = RangeOf(RowKind::kUpload, InodeId(bucket.value()));
  for (const char c : key) {
    range.begin.push_back(c);
    if (c == '\0') range.begin.push_back('\xff');
  }
  return range;
}

meta::KeyRange UploadsAfter(BucketId bucket, std::string_view key, UploadId upload) {
  meta::KeyRange range = UploadsFrom(bucket, key);
  range.begin = UploadKey(bucket, key, upload) + '\0';
  return range;
}

meta::KeyRange UploadsAfter(BucketId bucket, std::string_view key) {
  meta::KeyRange range = UploadsFrom(bucket, key);
  // Behind every upload of that key, whose next byte is below 0xff, and before longer keys.
  range.begin.push_back('\0');
  range.begin.push_back('\xff');
  return range;
}

meta::KeyRange DentriesFrom(InodeId directory, std::string_view key_suffix) {
  meta::KeyRange range = RangeOf(RowKind::kDentry, directory);
  range.begin.append(key_suffix);
  return range;
}

Result<InodeId> DecodeInodeOf(std::string_view key) {
  if (key.size() < 1 + kIdBytes || !HasInode(key[0])) {
    return Error(ErrorCode::kCorrupt, "key without an inode");
  }
  return InodeId(TakeId(key.substr(1)));
}

Result<BlobId> DecodeBlobOf(std::string_view key) {
  if (key.size() == 1 + 2 * kIdBytes && key[0] == 'H') {
    return BlobId(TakeId(key.substr(1 + kIdBytes)));
  }
  if (key.size() != 1 + kIdBytes || (key[0] != 'B' && key[0] != 'G')) {
    return Error(ErrorCode::kCorrupt, "key without a blob");
  }
  return BlobId(TakeId(key.substr(1)));
}

Result<UploadId> DecodeUploadOf(std::string_view key) {
  const bool first = !key.empty() && (key[0] == 'F' || key[0] == 'H' || key[0] == 'P');
  const bool last = !key.empty() && key[0] == 'M';
  if (first && key.size() > kIdBytes) return UploadId(TakeId(key.substr(1)));
  if (last && key.size() > 1 + 2 * kIdBytes) {
    return UploadId(TakeId(key.substr(key.size() - kIdBytes)));
  }
  return Error(ErrorCode::kCorrupt, "key without an upload");
}

Result<std::uint32_t> DecodePartNumberOf(std::string_view key) {
  if (key.size() != 1 + kIdBytes + 4 || key[0] != 'P') {
    return Error(ErrorCode::kCorrupt, "key without a part number");
  }
  std::uint32_t number = 0;
  for (const char c : key.substr(1 + kIdBytes))
    number = number << 8 | static_cast<unsigned char>(c);
  return number;
}

Result<std::uint64_t> DecodeOffsetOf(std::string_view key) {
  if (key.size() != 1 + 2 * kIdBytes || key[0] != 'E') {
    return Error(ErrorCode::kCorrupt, "key without an offset");
  }
  return TakeId(key.substr(1 + kIdBytes));
}

Result<std::string> DecodeUploadedKeyOf(std::string_view key) {
  constexpr std::size_t kAround = 1 + kIdBytes + 1 + kIdBytes;
  const Error corrupt(ErrorCode::kCorrupt, "key without an uploaded key");
  if (key.size() < kAround || key[0] != 'M' || key[key.size() - kIdBytes - 1] != '\0') {
    return corrupt;
  }
  std::string uploaded;
  const std::string_view written = key.substr(1 + kIdBytes, key.size() - kAround);
  for (std::size_t i = 0; i < written.size(); ++i) {
    uploaded.push_back(written[i]);
    if (written[i] != '\0') continue;
    if (++i == written.size() || written[i] != '\xff') return corrupt;
  }
  return uploaded;
}

Result<std::uint64_t> DecodePositionOf(std::string_view key) {
  if (key.size() != 1 + 2 * kIdBytes || key[0] != 'L') {
    return Error(ErrorCode::kCorrupt, "key without a position");
  }
  return TakeId(key.substr(1 + kIdBytes));
}

Result<InodeId> DecodeLinkOf(std::string_view key) {
  if (key.size() != 1 + 2 * kIdBytes || key[0] != 'T') {
    return Error(ErrorCode::kCorrupt, "key without a link");
  }
  return InodeId(TakeId(key.substr(1 + kIdBytes)));
}

Result<EntryName> DecodeNameOf(std::string_view key) {
  if (key.size() < 1 + kIdBytes || key[0] != 'D') {
    return Error(ErrorCode::kCorrupt, "key without a name");
  }
  key.remove_prefix(1 + kIdBytes);
  const bool directory = key.ends_with('/');
  if (directory) key.remove_suffix(1);
  return EntryName{std::string(key), directory};
}

std::string_view DecodeTextOf(std::string_view key) {
  if (key.empty()) return {};
  const std::size_t skip = key[0] == 'K' || key[0] == 'X' ? 1 + kIdBytes : 1;
  return key.size() < skip ? std::string_view() : key.substr(skip);
}

namespace {

std::string_view KindText(char kind) {
  switch (static_cast<RowKind>(kind)) {
    case RowKind::kAccessKey:
      return "access-key";
    case RowKind::kBlob:
      return "blob";
    case RowKind::kPartChecksums:
      return "part-checksums";
    case RowKind::kFinishedUpload:
      return "finished-upload";
    case RowKind::kDentry:
      return "dentry";
    case RowKind::kExtent:
      return "extent";
    case RowKind::kGarbage:
      return "garbage";
    case RowKind::kUploadBlob:
      return "upload-blob";
    case RowKind::kInode:
      return "inode";
    case RowKind::kJoin:
      return "join";
    case RowKind::kBucket:
      return "bucket";
    case RowKind::kPosition:
      return "position";
    case RowKind::kUpload:
      return "upload";
    case RowKind::kOrphan:
      return "orphan";
    case RowKind::kPart:
      return "part";
    case RowKind::kReservation:
      return "reservation";
    case RowKind::kDirectoryStat:
      return "directory-stat";
    case RowKind::kLinkTo:
      return "link-to";
    case RowKind::kUsage:
      return "usage";
    case RowKind::kVolume:
      return "volume";
    case RowKind::kOpenForWrite:
      return "open-for-write";
    case RowKind::kXattr:
      return "xattr";
    case RowKind::kVanishing:
      return "vanishing";
  }
  return "unknown";
}

void AppendPrintable(std::string& text, std::string_view bytes) {
  static constexpr char kHex[] = "0123456789abcdef";
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f || c == '\\') {
      text.append("\\x").push_back(kHex[byte >> 4]);
      text.push_back(kHex[byte & 15]);
    } else {
      text.push_back(c);
    }
  }
}

}  // namespace

std::string KeyToText(std::string_view key) {
  if (key.empty()) return "empty";
  std::string text(KindText(key[0]));
  std::string_view rest = key.substr(1);
  const bool has_id =
      std::string_view("BFGHP").find(key[0]) != std::string_view::npos || HasInode(key[0]);
  if (has_id && rest.size() >= kIdBytes) {
    text.append(" ").append(std::to_string(TakeId(rest)));
    rest.remove_prefix(kIdBytes);
  }
  const bool second_id = std::string_view("EHLT").find(key[0]) != std::string_view::npos;
  if (second_id && rest.size() == kIdBytes) {
    text.append(" ").append(std::to_string(TakeId(rest)));
    rest = {};
  }
  if (const auto number = DecodePartNumberOf(key); number.ok()) {
    text.append(" ").append(std::to_string(*number));
    rest = {};
  }
  if (const auto uploaded = DecodeUploadedKeyOf(key); uploaded.ok()) {
    text.append(" ").append(std::to_string(TakeId(key.substr(key.size() - kIdBytes))));
    text.push_back(' ');
    AppendPrintable(text, *uploaded);
    rest = {};
  }
  if (!rest.empty()) {
    text.push_back(' ');
    AppendPrintable(text, rest);
  }
  return text;
}

}  // namespace amphora::fs
