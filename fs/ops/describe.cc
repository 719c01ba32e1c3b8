#include "fs/ops/describe.h"

#include <sys/sysmacros.h>

#include <string_view>
#include <utility>

namespace amphora::fs {
namespace {

struct KindText {
  std::string_view name;
  std::string_view content_type;  // as shared-mime-info names them
};

KindText TextOf(FileKind kind) {
  switch (kind) {
    case FileKind::kRegular:
      return {"file", ""};
    case FileKind::kDirectory:
      return {"directory", "application/x-directory"};
    case FileKind::kSymlink:
      return {"symlink", "inode/symlink"};
    case FileKind::kFifo:
      return {"fifo", "inode/fifo"};
    case FileKind::kSocket:
      return {"socket", "inode/socket"};
    case FileKind::kCharacterDevice:
      return {"character-device", "inode/chardevice"};
    case FileKind::kBlockDevice:
      return {"block-device", "inode/blockdevice"};
  }
  return {"unknown", ""};
}

// Metadata travels in HTTP headers, which carry no other bytes safely.
std::string PercentEncoded(std::string_view bytes) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > 0x20 && byte < 0x7f && c != '%') {
      text.push_back(c);
      continue;
    }
    text.push_back('%');
    text.push_back(kHex[byte >> 4]);
    text.push_back(kHex[byte & 15]);
  }
  return text;
}

void DescribeSpecial(const InodeRecord& record, ObjectMetadata& metadata) {
  metadata.user.emplace_back("amphora-kind", TextOf(record.kind).name);
  if (record.kind == FileKind::kSymlink) {
    metadata.user.emplace_back("amphora-target", PercentEncoded(record.symlink));
  }
  if (record.kind == FileKind::kCharacterDevice || record.kind == FileKind::kBlockDevice) {
    metadata.user.emplace_back("amphora-device", std::to_string(major(record.device)) + ":" +
                                                     std::to_string(minor(record.device)));
  }
}

}  // namespace

ObjectInfo DescribeObject(std::string key, InodeId inode, const InodeRecord& record,
                          Detail detail) {
  ObjectInfo info;
  info.key = std::move(key);
  info.inode = inode;
  info.kind = record.kind;
  info.size = record.kind == FileKind::kRegular ? record.size : 0;
  info.etag = EtagText(inode, record);
  info.last_modified = record.last_modified;
  info.directory = record.kind == FileKind::kDirectory;
  info.checksum = record.checksum;
  if (detail == Detail::kListing) return info;
  info.metadata = record.object;
  if (info.metadata.content_type.empty())
    info.metadata.content_type = TextOf(record.kind).content_type;
  if (record.kind != FileKind::kRegular && record.kind != FileKind::kDirectory) {
    DescribeSpecial(record, info.metadata);
  }
  info.parts = record.parts;
  info.part_runs = record.part_runs;
  info.permissions = record.permissions;
  info.uid = record.uid;
  info.gid = record.gid;
  info.modified = record.modified;
  return info;
}

}  // namespace amphora::fs
