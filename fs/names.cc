// The one parser of names that come from outside (S3: bucket naming rules, object key naming).
#include <cctype>

#include "fs/types.h"

namespace amphora::fs {
namespace {

bool IsLetterOrDigit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

bool LooksLikeAddress(std::string_view name) {
  int dots = 0;
  for (const char c : name) {
    if (c == '.') {
      ++dots;
    } else if (c < '0' || c > '9') {
      return false;
    }
  }
  return dots == 3;
}

Status CheckName(std::string_view name) {
  if (name.size() < 3 || name.size() > 63) {
    return Error(ErrorCode::kBadName, "a name has 3 to 63 characters");
  }
  for (const char c : name) {
    if (!IsLetterOrDigit(c) && c != '.' && c != '-') {
      return Error(ErrorCode::kBadName, "a name has only a-z, 0-9, '.' and '-'");
    }
  }
  if (!IsLetterOrDigit(name.front()) || !IsLetterOrDigit(name.back())) {
    return Error(ErrorCode::kBadName, "a name begins and ends with a letter or digit");
  }
  if (name.find("..") != std::string_view::npos) {
    return Error(ErrorCode::kBadName, "a name has no two dots in a row");
  }
  if (LooksLikeAddress(name)) return Error(ErrorCode::kBadName, "a name is no IPv4 address");
  return Ok();
}

// The length of the UTF-8 sequence at the front of `text`, or 0 when there is none (RFC 3629).
std::size_t SequenceLength(std::string_view text) {
  const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto continues = [&](std::size_t i) { return i < text.size() && (byte(i) & 0xc0) == 0x80; };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return continues(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    if (!continues(1) || !continues(2)) return 0;
    if (first == 0xe0 && byte(1) < 0xa0) return 0;
    if (first == 0xed && byte(1) > 0x9f) return 0;
    return 3;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    if (!continues(1) || !continues(2) || !continues(3)) return 0;
    if (first == 0xf0 && byte(1) < 0x90) return 0;
    if (first == 0xf4 && byte(1) > 0x8f) return 0;
    return 4;
  }
  return 0;
}

}  // namespace

Status CheckBucketName(std::string_view name) { return CheckName(name); }
Status CheckVolumeName(std::string_view name) { return CheckName(name); }

Status CheckObjectKey(std::string_view key) {
  if (key.empty()) return Error(ErrorCode::kBadName, "a key has at least one byte");
  if (key.size() > kMaxKeyBytes) {
    return Error(ErrorCode::kNameTooLong, "a key has at most 1024 bytes");
  }
  for (std::string_view rest = key; !rest.empty();) {
    const std::size_t length = SequenceLength(rest);
    if (length == 0) return Error(ErrorCode::kBadName, "a key is UTF-8");
    rest.remove_prefix(length);
  }
  return Ok();
}

}  // namespace amphora::fs
