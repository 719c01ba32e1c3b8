#include "s3/object_headers.h"

#include <cstdio>

#include "s3/checksums.h"
#include "s3/http_date.h"
#include "s3/limits.h"
#include "s3/upload_request.h"

namespace amphora::s3 {
namespace {

constexpr std::string_view kMetaPrefix = "x-amz-meta-";
constexpr std::string_view kDefaultType = "binary/octet-stream";  // S3: PutObject, Content-Type
constexpr std::string_view kDirectoryType = "application/x-directory";

std::string WithoutAwsChunked(std::string_view codings) {
  std::string kept;
  while (!codings.empty()) {
    const std::size_t comma = codings.find(',');
    std::string_view coding = codings.substr(0, comma);
    codings.remove_prefix(comma == std::string_view::npos ? codings.size() : comma + 1);
    while (coding.starts_with(' ')) coding.remove_prefix(1);
    while (coding.ends_with(' ')) coding.remove_suffix(1);
    if (coding.empty() || EqualsIgnoreCase(coding, "aws-chunked")) continue;
    if (!kept.empty()) kept.append(",");
    kept.append(coding);
  }
  return kept;
}

// Several fields of one name are one value with commas, as S3 stores them.
void AddUserField(fs::ObjectMetadata& metadata, std::string_view name, std::string_view value) {
  if (!StartsWithIgnoreCase(name, kMetaPrefix) || name.size() == kMetaPrefix.size()) return;
  std::string key = ToLower(name.substr(kMetaPrefix.size()));
  for (auto& [known, known_value] : metadata.user) {
    if (known != key) continue;
    known_value.append(",").append(value);
    return;
  }
  metadata.user.emplace_back(std::move(key), value);
}

// What POSIX knows of the object and S3 does not: its kind, and an mtime that somebody set.
void AddPosixHeaders(Response& response, const fs::ObjectInfo& info) {
  const char* kind = nullptr;
  switch (info.kind) {
    case fs::FileKind::kRegular:
    case fs::FileKind::kDirectory:
      break;
    case fs::FileKind::kSymlink:
      kind = "symlink";
      break;
    case fs::FileKind::kFifo:
      kind = "fifo";
      break;
    case fs::FileKind::kSocket:
      kind = "socket";
      break;
    case fs::FileKind::kCharacterDevice:
      kind = "character-device";
      break;
    case fs::FileKind::kBlockDevice:
      kind = "block-device";
      break;
  }
  if (kind != nullptr) response.AddHeader("x-amz-meta-amphora-kind", kind);
  const timespec modified = info.modified.ToTimespec();
  if (modified.tv_sec == info.last_modified.ToTimespec().tv_sec) return;
  for (const auto& [name, value] : info.metadata.user) {
    if (name == "mtime") return;
  }
  char text[64];
  std::snprintf(text, sizeof text, "%lld.%09ld", static_cast<long long>(modified.tv_sec),
                modified.tv_nsec);
  response.AddHeader("x-amz-meta-mtime", text);
}

void AddHeaderOr(Response& response, const Request& request, std::string_view name,
                 std::string_view parameter, std::string_view stored) {
  std::string_view value = request.QueryValue(parameter);
  if (value.empty()) value = stored;
  if (!value.empty()) response.AddHeader(name, value);
}

}  // namespace

std::string Quoted(std::string_view etag) { return "\"" + std::string(etag) + "\""; }

Outcome<fs::ObjectMetadata> ReadMetadata(const Request& request) {
  fs::ObjectMetadata metadata;
  metadata.content_type = request.Header("Content-Type");
  metadata.content_encoding = WithoutAwsChunked(request.Header("Content-Encoding"));
  metadata.content_language = request.Header("Content-Language");
  metadata.content_disposition = request.Header("Content-Disposition");
  metadata.cache_control = request.Header("Cache-Control");
  metadata.expires = request.Header("Expires");
  for (const HeaderField& field : request.headers())
    AddUserField(metadata, field.name, field.value);
  for (const QueryParameter& hoisted : request.query()) {
    AddUserField(metadata, hoisted.name, hoisted.value);
  }
  std::size_t bytes = 0;
  for (const auto& [name, value] : metadata.user) bytes += name.size() + value.size();
  if (bytes > kMaxUserMetadataBytes) return Fail(S3Code::kMetadataTooLarge);
  return metadata;
}

void AddObjectHeaders(Response& response, const Request& request, const fs::ObjectInfo& info) {
  const fs::ObjectMetadata& stored = info.metadata;
  response.AddHeader("ETag", Quoted(info.etag));
  response.AddHeader("Last-Modified", ToHttpDate(info.last_modified));
  response.AddHeader("Accept-Ranges", "bytes");
  const std::string_view type = !stored.content_type.empty() ? std::string_view(stored.content_type)
                                : info.directory             ? kDirectoryType
                                                             : kDefaultType;
  AddHeaderOr(response, request, "Content-Type", "response-content-type", type);
  AddHeaderOr(response, request, "Content-Encoding", "response-content-encoding",
              stored.content_encoding);
  AddHeaderOr(response, request, "Content-Language", "response-content-language",
              stored.content_language);
  AddHeaderOr(response, request, "Content-Disposition", "response-content-disposition",
              stored.content_disposition);
  AddHeaderOr(response, request, "Cache-Control", "response-cache-control", stored.cache_control);
  AddHeaderOr(response, request, "Expires", "response-expires", stored.expires);
  for (const auto& [name, value] : stored.user) {
    response.AddHeader(std::string(kMetaPrefix) + name, value);
  }
  AddPosixHeaders(response, info);
}

}  // namespace amphora::s3
