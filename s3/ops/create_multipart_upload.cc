// POST /bucket/key?uploads: begins an upload in parts. (S3: CreateMultipartUpload)
#include "s3/object_headers.h"
#include "s3/ops/ops.h"
#include "s3/upload_request.h"
#include "s3/xml.h"

namespace amphora::s3 {
namespace {

// x-amz-checksum-algorithm and x-amz-checksum-type. CRC-32 and CRC-32C are composite unless told
// otherwise, as on AWS.
Outcome<void> ReadChecksumChoice(const Request& request, fs::CreateUploadRequest& create) {
  const std::string_view type_text = request.Header("x-amz-checksum-type");
  const auto type = ParseChecksumType(type_text);
  if (!type_text.empty() && !type) {
    return Fail(S3Code::kInvalidRequest, "Value for x-amz-checksum-type header is invalid.");
  }
  auto algorithm = ReadChecksumAlgorithm(request);
  if (!algorithm) return std::unexpected(std::move(algorithm.error()));
  create.checksum = *algorithm;
  if (!create.checksum) {
    if (!type) return {};
    return Fail(S3Code::kInvalidRequest,
                "The x-amz-checksum-type header can only be used with x-amz-checksum-algorithm.");
  }
  create.checksum_type =
      type.value_or(*create.checksum == fs::DigestKind::kCrc64Nvme ? fs::ChecksumType::kFullObject
                                                                   : fs::ChecksumType::kComposite);
  if (!MayHaveType(*create.checksum, create.checksum_type)) {
    return Fail(S3Code::kInvalidRequest,
                "The checksum type " + std::string(ChecksumTypeText(create.checksum_type)) +
                    " cannot be used with the algorithm " +
                    std::string(ChecksumAlgorithm(*create.checksum)) + ".");
  }
  return {};
}

Outcome<fs::CreateUploadRequest> MakeRequest(const Call& call) {
  fs::CreateUploadRequest create;
  create.key = call.request.key();
  if (auto legal = fs::CheckObjectKey(create.key); !legal.ok()) {
    return EngineFailure(legal.error(), Subject::kObject);
  }
  auto metadata = ReadMetadata(call.request);
  if (!metadata) return std::unexpected(std::move(metadata.error()));
  create.metadata = std::move(*metadata);
  if (auto read = ReadChecksumChoice(call.request, create); !read) {
    return std::unexpected(std::move(read.error()));
  }
  auto bucket = FindBucket(call);
  if (!bucket) return std::unexpected(std::move(bucket.error()));
  create.bucket = bucket->id;
  create.caller = call.caller();
  create.owner = call.identity.owner;
  return create;
}

}  // namespace

Task<Outcome<Response>> CreateMultipartUpload(Call& call) {
  auto request = MakeRequest(call);
  if (!request) co_return std::unexpected(std::move(request.error()));
  auto create = [&] { return call.service.engine.uploads().Create(*request); };
  auto created = co_await OnPool(call.service.pool, create);
  if (!created.ok()) co_return EngineFailure(created.error(), Subject::kObject);
  auto settled = co_await Settle(call.service.engine, created->ticket);
  if (!settled.ok()) co_return EngineFailure(settled.error(), Subject::kObject);
  const fs::UploadInfo& upload = created->info;
  XmlWriter xml;
  xml.OpenRoot("InitiateMultipartUploadResult");
  xml.Element("Bucket", call.request.bucket());
  xml.Element("Key", call.request.key());
  xml.Element("UploadId", upload.id);
  xml.Close("InitiateMultipartUploadResult");
  Response response = Response::Xml(std::move(xml).Finish());
  if (upload.checksum_chosen) {
    response.AddHeader("x-amz-checksum-algorithm", ChecksumAlgorithm(upload.checksum));
    response.AddHeader("x-amz-checksum-type", ChecksumTypeText(upload.checksum_type));
  }
  co_return response;
}

}  // namespace amphora::s3
