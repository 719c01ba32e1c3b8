// POST /bucket/key?uploadId=ID: the listed parts become the object. (S3: CompleteMultipartUpload)
// The engine places parts where the object needs them, so this is one transaction and answers at
// once: no blanks to keep the connection alive, and no error behind a 200.
#include <algorithm>
#include <charconv>

#include "s3/complete_document.h"
#include "s3/limits.h"
#include "s3/object_headers.h"
#include "s3/ops/ops.h"
#include "s3/upload_request.h"
#include "s3/xml.h"

namespace amphora::s3 {
namespace {

// What the headers say of the object to be made.
struct Wish {
  fs::Conditions conditions;
  std::optional<std::uint64_t> size;
  std::optional<fs::ChecksumType> type;
  std::optional<fs::ObjectChecksum> checksum;
  bool counted = false;  // the checksum came with its "-N"
};

Failure BadHeader(std::string_view name) {
  return Failure(S3Code::kInvalidRequest, "Value for " + std::string(name) + " header is invalid.");
}

std::optional<std::uint64_t> ParseNumber(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// x-amz-checksum-<kind>: base64, and for a composite one "-N" behind it.
Outcome<void> TakeChecksum(Wish& wish, std::string_view name, std::string_view value) {
  const auto kind = KindOfHeader(name);
  if (!kind) return {};
  if (wish.checksum) {
    return Fail(S3Code::kInvalidRequest, "An object has one checksum. Several are not allowed.");
  }
  fs::ObjectChecksum checksum;
  checksum.kind = *kind;
  if (const std::size_t dash = value.find('-'); dash != std::string_view::npos) {
    const auto count = ParseNumber(value.substr(dash + 1));
    if (!count || *count < 1 || *count > fs::kMaxParts) return std::unexpected(BadHeader(name));
    checksum.type = fs::ChecksumType::kComposite;
    checksum.parts = static_cast<std::uint32_t>(*count);
    wish.counted = true;
    value = value.substr(0, dash);
  }
  auto raw = ReadDigest(*kind, value);
  if (!raw) return std::unexpected(BadHeader(name));
  checksum.value = std::move(*raw);
  wish.checksum = std::move(checksum);
  return {};
}

Outcome<Wish> ReadWish(const Request& request) {
  Wish wish;
  auto conditions = WriteConditions(request);
  if (!conditions) return std::unexpected(std::move(conditions.error()));
  wish.conditions = std::move(*conditions);
  if (request.HasHeader("x-amz-mp-object-size")) {
    wish.size = ParseNumber(request.Header("x-amz-mp-object-size"));
    if (!wish.size) return std::unexpected(BadHeader("x-amz-mp-object-size"));
  }
  if (request.HasHeader("x-amz-checksum-type")) {
    wish.type = ParseChecksumType(request.Header("x-amz-checksum-type"));
    if (!wish.type) return std::unexpected(BadHeader("x-amz-checksum-type"));
  }
  for (const HeaderField& field : request.headers()) {
    if (auto taken = TakeChecksum(wish, field.name, field.value); !taken) {
      return std::unexpected(std::move(taken.error()));
    }
  }
  return wish;
}

Failure WrongPart(const Call& call, const ListedPart& part) {
  return Failure(S3Code::kInvalidPart)
      .With("UploadId", call.request.QueryValue("uploadId"))
      .With("PartNumber", std::to_string(part.number))
      .With("ETag", part.etag);
}

// The engine's list. `upload` is not there when the upload is gone: this may be the repetition of
// a request that was heard, which the engine knows.
Outcome<std::vector<fs::CompletedPart>> CompletedParts(
    const Call& call, std::vector<ListedPart>& listed,
    const std::optional<fs::UploadInfo>& upload) {
  std::vector<fs::CompletedPart> parts;
  parts.reserve(listed.size());
  for (ListedPart& part : listed) {
    fs::CompletedPart& completed = parts.emplace_back();
    completed.number = part.number;
    completed.etag = part.etag;
    if (!part.checksums.empty()) {
      const auto kind = upload ? upload->checksum : part.checksums.begin()->first;
      if (part.checksums.size() > 1 || !part.checksums.contains(kind)) {
        return std::unexpected(WrongPart(call, part));
      }
      completed.checksum = std::move(part.checksums[kind]);
    } else if (upload && upload->checksum_chosen &&
               upload->checksum_type == fs::ChecksumType::kComposite) {
      return Fail(S3Code::kInvalidRequest,
                  "The upload was begun with " + ToLower(ChecksumAlgorithm(upload->checksum)) +
                      " checksums of its parts, and the request lacks the one of part " +
                      std::to_string(part.number) + ".");
    }
  }
  return parts;
}

// Brings the checksum of the header into the form of the upload's.
Outcome<void> FitChecksum(Wish& wish, const std::optional<fs::UploadInfo>& upload,
                          std::size_t parts) {
  if (!upload) return {};
  const bool other_type = wish.type && *wish.type != upload->checksum_type;
  const bool unchosen =
      wish.type && !upload->checksum_chosen && *wish.type != fs::ChecksumType::kFullObject;
  if (other_type || unchosen) {
    return Fail(S3Code::kInvalidRequest, "The upload was begun for a checksum of the type " +
                                             std::string(ChecksumTypeText(upload->checksum_type)) +
                                             ".");
  }
  if (!wish.checksum) return {};
  if (wish.checksum->kind != upload->checksum) {
    return Fail(S3Code::kInvalidRequest, "The upload was begun for a checksum of the algorithm " +
                                             std::string(ChecksumAlgorithm(upload->checksum)) +
                                             ".");
  }
  if (!wish.counted && upload->checksum_type == fs::ChecksumType::kComposite) {
    wish.checksum->type = fs::ChecksumType::kComposite;
    wish.checksum->parts = static_cast<std::uint32_t>(parts);
  }
  return {};
}

Failure CompleteFailure(const Call& call, const fs::CompleteRequest& request, const Error& error) {
  switch (error.code()) {
    case ErrorCode::kPreconditionFailed:
    case ErrorCode::kConflict:
    case ErrorCode::kNotFound:
      return WriteFailure(call, error, request.conditions);
    case ErrorCode::kInvalidArgument: {
      Failure failure(S3Code::kInvalidRequest, error.detail());
      failure.cause = error.ToString();
      return failure;
    }
    case ErrorCode::kBadDigest:
      return Failure(S3Code::kBadDigest, "The checksum that you specified is not the object's.");
    default:
      return UploadFailure(call.request, error);
  }
}

Outcome<fs::CompleteRequest> MakeRequest(const Call& call, Wish& wish,
                                         std::vector<ListedPart>& listed,
                                         const fs::UploadName& name,
                                         const std::optional<fs::UploadInfo>& upload) {
  auto parts = CompletedParts(call, listed, upload);
  if (!parts) return std::unexpected(std::move(parts.error()));
  if (auto fits = FitChecksum(wish, upload, parts->size()); !fits) {
    return std::unexpected(std::move(fits.error()));
  }
  return fs::CompleteRequest{.upload = name,
                             .parts = std::move(*parts),
                             .conditions = std::move(wish.conditions),
                             .expected_size = wish.size,
                             .expected_checksum = std::move(wish.checksum),
                             .expected_type = wish.type,
                             .caller = call.caller()};
}

std::string Render(const Call& call, const fs::ObjectInfo& info) {
  XmlWriter xml;
  xml.OpenRoot("CompleteMultipartUploadResult");
  xml.Element("Location", FindOrigin(call.request, call.service.trusted_proxies).url() +
                              std::string(call.request.raw_path()));
  xml.Element("Bucket", call.request.bucket());
  xml.Element("Key", call.request.key());
  xml.Element("ETag", Quoted(info.etag));
  AppendChecksum(xml, info.checksum);
  xml.Close("CompleteMultipartUploadResult");
  return std::move(xml).Finish();
}

}  // namespace

Task<Outcome<Response>> CompleteMultipartUpload(Call& call) {
  auto wish = ReadWish(call.request);
  if (!wish) co_return std::unexpected(std::move(wish.error()));
  auto bucket = FindBucket(call);
  if (!bucket) co_return std::unexpected(std::move(bucket.error()));
  auto promise = ReadBodyPromise(call.request, call.identity.payload);
  if (!promise) co_return std::unexpected(std::move(promise.error()));
  auto document = co_await ReadXmlBody(call, kMaxCompleteBytes, std::move(*promise));
  if (!document) co_return std::unexpected(std::move(document.error()));
  auto listed = ReadCompleteDocument(*document);
  if (!listed) co_return std::unexpected(std::move(listed.error()));

  fs::Engine& engine = call.service.engine;
  const fs::UploadName name = UploadOf(call.request, bucket->id);
  auto complete = [&]() -> Outcome<fs::CompleteOutcome> {
    auto page = engine.uploads().ListParts({.upload = name, .limit = 0});
    if (!page.ok() && !page.Is(ErrorCode::kNoSuchUpload)) {
      return std::unexpected(UploadFailure(call.request, page.error()));
    }
    std::optional<fs::UploadInfo> upload;
    if (page.ok()) upload = std::move(page->upload);
    auto request = MakeRequest(call, *wish, *listed, name, upload);
    if (!request) return std::unexpected(std::move(request.error()));
    auto made = engine.uploads().Complete(*request);
    if (!made.ok()) return std::unexpected(CompleteFailure(call, *request, made.error()));
    return std::move(*made);
  };
  auto made = co_await OnPool(call.service.pool, complete);
  if (!made) co_return std::unexpected(std::move(made.error()));
  // A repetition answers for the first one's commit (hazards 5.9).
  auto settled = co_await Settle(engine, std::max(made->ticket, engine.NewestTicket()));
  if (!settled.ok()) co_return EngineFailure(settled.error(), Subject::kObject);
  co_return Response::Xml(Render(call, made->info));
}

}  // namespace amphora::s3
