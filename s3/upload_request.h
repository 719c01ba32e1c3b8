// What requests about multipart uploads have in common: the names in their query, the errors that
// speak of an upload, the checksums in their XML. Thread-safe: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "fs/uploads.h"
#include "s3/error.h"
#include "s3/request.h"
#include "s3/xml.h"

namespace amphora::s3 {

// 1 to 10,000, else kInvalidArgument.
Outcome<std::uint32_t> ParsePartNumber(std::string_view text);

// The upload that `request` names in `bucket`.
fs::UploadName UploadOf(const Request& request, fs::BucketId bucket);

// The answer to an engine call about the request's upload that failed.
Failure UploadFailure(const Request& request, const Error& error);

// "FULL_OBJECT" or "COMPOSITE".
std::string_view ChecksumTypeText(fs::ChecksumType type);
// The type that the header says; nothing for any other text.
std::optional<fs::ChecksumType> ParseChecksumType(std::string_view text);

// Whether S3 has checksums of `kind` over all bytes, or over the parts' checksums.
bool MayHaveType(fs::DigestKind kind, fs::ChecksumType type);

// The value as S3 shows it: base64, and "-N" behind that of a composite one.
std::string ChecksumText(const fs::ObjectChecksum& checksum);

// <ChecksumCRC32>…</ChecksumCRC32><ChecksumType>…</ChecksumType>; nothing without a checksum.
void AppendChecksum(XmlWriter& xml, const std::optional<fs::ObjectChecksum>& checksum);

// <ChecksumAlgorithm> and <ChecksumType> of an upload whose client chose them.
void AppendChosenChecksum(XmlWriter& xml, const fs::UploadInfo& upload);

// <tag><ID>…</ID><DisplayName>…</DisplayName></tag>
void AppendUser(XmlWriter& xml, std::string_view tag, std::string_view user);

}  // namespace amphora::s3
