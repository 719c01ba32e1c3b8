// The five checksums of S3 in S3's words: header, algorithm, element. (S3: checking object
// integrity) Thread-safe: pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "fs/objects.h"

namespace amphora::s3 {

inline constexpr std::string_view kChecksumPrefix = "x-amz-checksum-";

// "x-amz-checksum-crc32" and so on; not for kMd5.
std::string_view ChecksumHeader(fs::DigestKind kind);

// "CRC32", as x-amz-checksum-algorithm and <ChecksumAlgorithm> have it. "MD5" for kMd5.
std::string_view ChecksumAlgorithm(fs::DigestKind kind);

// "ChecksumCRC32", the element that holds a value.
std::string ChecksumElement(fs::DigestKind kind);

// The kind of "x-amz-checksum-crc32", "CRC32" (any case) or "ChecksumCRC32"; nothing for any other
// text.
std::optional<fs::DigestKind> KindOfHeader(std::string_view name);
std::optional<fs::DigestKind> KindOfAlgorithm(std::string_view name);
std::optional<fs::DigestKind> KindOfElement(std::string_view name);

// The raw digest that base64 `text` says; nothing when it is not one of that kind.
std::optional<std::string> ReadDigest(fs::DigestKind kind, std::string_view text);

// "CRC32, CRC32C, …": for the answer to a name that is none of them.
std::string ChecksumAlgorithmList();

}  // namespace amphora::s3
