#include "s3/checksum_names.h"

#include <algorithm>
#include <array>

#include "fs/data/digests.h"
#include "meta/base/encoding.h"
#include "s3/request.h"

namespace amphora::s3 {
namespace {

using fs::DigestKind;

struct Row {
  DigestKind kind;
  std::string_view header;
  std::string_view algorithm;
};

constexpr std::array<Row, 5> kRows = {{
    {DigestKind::kCrc32, "x-amz-checksum-crc32", "CRC32"},
    {DigestKind::kCrc32c, "x-amz-checksum-crc32c", "CRC32C"},
    {DigestKind::kCrc64Nvme, "x-amz-checksum-crc64nvme", "CRC64NVME"},
    {DigestKind::kSha1, "x-amz-checksum-sha1", "SHA1"},
    {DigestKind::kSha256, "x-amz-checksum-sha256", "SHA256"},
}};

constexpr std::string_view kElementPrefix = "Checksum";

}  // namespace

std::string_view ChecksumHeader(DigestKind kind) {
  const auto row = std::ranges::find(kRows, kind, &Row::kind);
  return row == kRows.end() ? "x-amz-checksum-md5" : row->header;
}

std::string_view ChecksumAlgorithm(DigestKind kind) {
  const auto row = std::ranges::find(kRows, kind, &Row::kind);
  return row == kRows.end() ? "MD5" : row->algorithm;
}

std::string ChecksumElement(DigestKind kind) {
  return std::string(kElementPrefix).append(ChecksumAlgorithm(kind));
}

std::optional<DigestKind> KindOfHeader(std::string_view name) {
  for (const Row& row : kRows) {
    if (EqualsIgnoreCase(row.header, name)) return row.kind;
  }
  return std::nullopt;
}

std::optional<DigestKind> KindOfAlgorithm(std::string_view name) {
  for (const Row& row : kRows) {
    if (EqualsIgnoreCase(row.algorithm, name)) return row.kind;
  }
  return std::nullopt;
}

std::optional<DigestKind> KindOfElement(std::string_view name) {
  if (!name.starts_with(kElementPrefix)) return std::nullopt;
  const auto row = std::ranges::find(kRows, name.substr(kElementPrefix.size()), &Row::algorithm);
  return row == kRows.end() ? std::nullopt : std::optional(row->kind);
}

std::optional<std::string> ReadDigest(DigestKind kind, std::string_view text) {
  auto raw = FromBase64(text);
  if (!raw || raw->size() != fs::DigestBytes(kind)) return std::nullopt;
  return raw;
}

std::string ChecksumAlgorithmList() {
  std::string list;
  for (const Row& row : kRows) {
    if (!list.empty()) list.append(", ");
    list.append(row.algorithm);
  }
  return list;
}

}  // namespace amphora::s3
