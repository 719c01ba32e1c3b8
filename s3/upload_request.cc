#include "s3/upload_request.h"

#include <charconv>

#include "meta/base/encoding.h"
#include "s3/checksum_names.h"

namespace amphora::s3 {

Outcome<std::uint32_t> ParsePartNumber(std::string_view text) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 1 ||
      number > fs::kMaxParts) {
    return std::unexpected(
        Failure(S3Code::kInvalidArgument, "Part number must be an integer between 1 and " +
                                              std::to_string(fs::kMaxParts) + ", inclusive")
            .With("ArgumentName", "partNumber")
            .With("ArgumentValue", text));
  }
  return number;
}

fs::UploadName UploadOf(const Request& request, fs::BucketId bucket) {
  return {
      .bucket = bucket, .key = request.key(), .id = std::string(request.QueryValue("uploadId"))};
}

Failure UploadFailure(const Request& request, const Error& error) {
  Failure failure = FromEngine(error, Subject::kObject);
  if (failure.Is(S3Code::kNoSuchUpload) || failure.Is(S3Code::kInvalidPart) ||
      failure.Is(S3Code::kInvalidPartOrder)) {
    failure.details.emplace_back("UploadId", request.QueryValue("uploadId"));
  }
  if (failure.Is(S3Code::kEntityTooSmall)) {
    failure.details.emplace_back("MinSizeAllowed", std::to_string(fs::kMinPartBytes));
  }
  return failure;
}

std::string_view ChecksumTypeText(fs::ChecksumType type) {
  return type == fs::ChecksumType::kComposite ? "COMPOSITE" : "FULL_OBJECT";
}

std::optional<fs::ChecksumType> ParseChecksumType(std::string_view text) {
  for (const auto type : {fs::ChecksumType::kFullObject, fs::ChecksumType::kComposite}) {
    if (EqualsIgnoreCase(text, ChecksumTypeText(type))) return type;
  }
  return std::nullopt;
}

bool MayHaveType(fs::DigestKind kind, fs::ChecksumType type) {
  switch (kind) {
    case fs::DigestKind::kMd5:
      return false;
    case fs::DigestKind::kSha1:
    case fs::DigestKind::kSha256:
      return type == fs::ChecksumType::kComposite;
    case fs::DigestKind::kCrc64Nvme:
      return type == fs::ChecksumType::kFullObject;
    case fs::DigestKind::kCrc32:
    case fs::DigestKind::kCrc32c:
      return true;
  }
  return false;
}

std::string ChecksumText(const fs::ObjectChecksum& checksum) {
  std::string text = ToBase64(checksum.value);
  if (checksum.type == fs::ChecksumType::kComposite) {
    text.append("-").append(std::to_string(checksum.parts));
  }
  return text;
}

void AppendChecksum(XmlWriter& xml, const std::optional<fs::ObjectChecksum>& checksum) {
  if (!checksum) return;
  xml.Element(ChecksumElement(checksum->kind), ChecksumText(*checksum));
  xml.Element("ChecksumType", ChecksumTypeText(checksum->type));
}

void AppendChosenChecksum(XmlWriter& xml, const fs::UploadInfo& upload) {
  if (!upload.checksum_chosen) return;
  xml.Element("ChecksumAlgorithm", ChecksumAlgorithm(upload.checksum));
  xml.Element("ChecksumType", ChecksumTypeText(upload.checksum_type));
}

void AppendUser(XmlWriter& xml, std::string_view tag, std::string_view user) {
  xml.Open(tag);
  xml.Element("ID", user);
  xml.Element("DisplayName", user);
  xml.Close(tag);
}

}  // namespace amphora::s3
