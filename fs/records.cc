// Records to and from Protocol Buffers (meta/records.proto).
#include "fs/records.h"

#include <array>

#include "meta/records.pb.h"

namespace amphora::fs {
namespace {

namespace pb = meta::pb;

template <typename Message>
std::string Serialize(const Message& message) {
  std::string bytes;
  message.SerializeToString(&bytes);
  return bytes;
}

template <typename Message>
bool Parse(std::string_view bytes, Message& message) {
  return message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

Result<FileKind> ToKind(std::uint32_t value) {
  if (value < 1 || value > 7) return Error(ErrorCode::kCorrupt, "unknown file kind");
  return static_cast<FileKind>(value);
}

// Modulo 2^64: a time of 1677 is further than 2^63 ns before one of today.
std::int64_t Since(Time born, Time time) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(time.nanoseconds()) -
                                   static_cast<std::uint64_t>(born.nanoseconds()));
}
Time After(Time born, std::int64_t difference) {
  return Time(static_cast<std::int64_t>(static_cast<std::uint64_t>(born.nanoseconds()) +
                                        static_cast<std::uint64_t>(difference)));
}

bool IsDefault(const ObjectMetadata& object) {
  return object.content_type.empty() && object.content_encoding.empty() &&
         object.content_language.empty() && object.content_disposition.empty() &&
         object.cache_control.empty() && object.expires.empty() && object.user.empty();
}

// What an object's checksum is in the rows of inodes and of finished uploads.
template <typename Message>
void FillChecksum(const ObjectChecksum& checksum, Message& out) {
  out.set_checksum_kind(static_cast<std::uint32_t>(checksum.kind) + 1);
  out.set_checksum_composite(checksum.type == ChecksumType::kComposite);
  out.set_checksum(checksum.value);
}

template <typename Message>
Result<std::optional<ObjectChecksum>> TakeChecksum(const Message& in) {
  std::optional<ObjectChecksum> checksum;
  if (in.checksum_kind() > kDigestKinds) return Error(ErrorCode::kCorrupt, "unknown checksum kind");
  if (in.checksum_kind() == 0) return checksum;
  const bool composite = in.checksum_composite();
  checksum = {.kind = static_cast<DigestKind>(in.checksum_kind() - 1),
              .type = composite ? ChecksumType::kComposite : ChecksumType::kFullObject,
              .value = in.checksum(),
              .parts = composite ? in.parts() : 0};
  return checksum;
}

void FillObject(const ObjectMetadata& object, pb::ObjectMetadata& out) {
  out.set_content_type(object.content_type);
  out.set_content_encoding(object.content_encoding);
  out.set_content_language(object.content_language);
  out.set_content_disposition(object.content_disposition);
  out.set_cache_control(object.cache_control);
  out.set_expires(object.expires);
  for (const auto& [name, value] : object.user) {
    out.add_user(name);
    out.add_user(value);
  }
}

ObjectMetadata TakeObject(const pb::ObjectMetadata& in) {
  ObjectMetadata object;
  object.content_type = in.content_type();
  object.content_encoding = in.content_encoding();
  object.content_language = in.content_language();
  object.content_disposition = in.content_disposition();
  object.cache_control = in.cache_control();
  object.expires = in.expires();
  for (int i = 0; i + 1 < in.user_size(); i += 2) {
    object.user.emplace_back(in.user(i), in.user(i + 1));
  }
  return object;
}

}  // namespace

std::string Encode(const InodeRecord& record) {
  pb::Inode out;
  out.set_kind(static_cast<std::uint32_t>(record.kind));
  out.set_permissions(record.permissions);
  out.set_uid(record.uid);
  out.set_gid(record.gid);
  out.set_links(record.links);
  out.set_size(record.size);
  out.set_born(record.born.nanoseconds());
  out.set_accessed(Since(record.born, record.accessed));
  out.set_modified(Since(record.born, record.modified));
  out.set_changed(Since(record.born, record.changed));
  out.set_last_modified(Since(record.born, record.last_modified));
  out.set_device(record.device);
  out.set_bucket(record.bucket.value());
  out.set_content(static_cast<std::uint32_t>(record.content));
  out.set_blob(record.blob.value());
  out.set_content_stamp(record.content_stamp);
  out.set_etag(record.etag);
  if (!IsDefault(record.object)) FillObject(record.object, *out.mutable_object());
  out.set_implicit(record.implicit);
  out.set_symlink(record.symlink);
  if (record.checksum) FillChecksum(*record.checksum, out);
  out.set_parent(record.parent.value());
  out.set_name(record.name);
  out.set_has_xattrs(record.has_xattrs);
  out.set_has_part_checksums(record.has_part_checksums);
  out.set_parts(record.parts);
  out.set_upload(record.upload);
  out.set_unpublished(record.unpublished);
  for (const PartRun& run : record.part_runs) {
    out.add_part_runs(run.size);
    out.add_part_runs(run.count);
  }
  return Serialize(out);
}

Result<InodeRecord> DecodeInode(std::string_view bytes) {
  pb::Inode in;
  if (!Parse(bytes, in)) return Error(ErrorCode::kCorrupt, "inode record");
  if (in.content() > 3) return Error(ErrorCode::kCorrupt, "unknown content kind");
  InodeRecord record;
  AMPHORA_ASSIGN(record.kind, ToKind(in.kind()));
  record.permissions = in.permissions();
  record.uid = in.uid();
  record.gid = in.gid();
  record.links = in.links();
  record.size = in.size();
  record.born = Time(in.born());
  record.accessed = After(record.born, in.accessed());
  record.modified = After(record.born, in.modified());
  record.changed = After(record.born, in.changed());
  record.last_modified = After(record.born, in.last_modified());
  record.device = in.device();
  record.bucket = BucketId(in.bucket());
  record.content = static_cast<ContentKind>(in.content());
  record.blob = BlobId(in.blob());
  record.content_stamp = in.content_stamp();
  record.etag = in.etag();
  if (in.has_object()) record.object = TakeObject(in.object());
  record.implicit = in.implicit();
  record.symlink = in.symlink();
  record.parts = in.parts();
  record.upload = in.upload();
  record.unpublished = in.unpublished();
  for (int i = 0; i + 1 < in.part_runs_size(); i += 2) {
    record.part_runs.push_back(
        {.size = in.part_runs(i), .count = static_cast<std::uint32_t>(in.part_runs(i + 1))});
  }
  AMPHORA_ASSIGN(record.checksum, TakeChecksum(in));
  record.parent = InodeId(in.parent());
  record.name = in.name();
  record.has_xattrs = in.has_xattrs();
  record.has_part_checksums = in.has_part_checksums();
  return record;
}

void InodeRecord::ForgetDigests() {
  etag.clear();
  checksum.reset();
  parts = 0;
  part_runs.clear();
  upload = 0;
}

std::string EtagText(InodeId inode, const InodeRecord& record) {
  static constexpr char kHex[] = "0123456789abcdef";
  constexpr std::size_t kMd5Bytes = 16;
  if (record.etag.size() != kMd5Bytes && !record.etag.empty()) return record.etag;
  std::string raw = record.etag;
  const bool opaque = raw.empty();
  if (opaque) {
    for (const std::uint64_t part : {inode.value(), record.content_stamp}) {
      for (int shift = 56; shift >= 0; shift -= 8) raw.push_back(static_cast<char>(part >> shift));
    }
  }
  std::string text;
  text.reserve(2 * kMd5Bytes + 2);
  for (const char c : raw) {
    text.push_back(kHex[static_cast<unsigned char>(c) >> 4]);
    text.push_back(kHex[static_cast<unsigned char>(c) & 15]);
  }
  if (opaque) text.append("-1");
  return text;
}

std::string Encode(const DentryRecord& record) {
  pb::Dentry out;
  out.set_inode(record.inode.value());
  out.set_kind(static_cast<std::uint32_t>(record.kind));
  out.set_position(record.position);
  out.set_shadowed(record.shadowed);
  return Serialize(out);
}

Result<DentryRecord> DecodeDentry(std::string_view bytes) {
  pb::Dentry in;
  if (!Parse(bytes, in)) return Error(ErrorCode::kCorrupt, "dentry record");
  DentryRecord record;
  AMPHORA_ASSIGN(record.kind, ToKind(in.kind()));
  record.inode = InodeId(in.inode());
  record.position = in.position();
  record.shadowed = in.shadowed();
  return record;
}

std::string Encode(const PositionRecord& record) {
  pb::Position out;
  out.set_name(record.name);
  out.set_inode(record.inode.value());
  out.set_kind(static_cast<std::uint32_t>(record.kind));
  out.set_shadowed(record.shadowed);
  return Serialize(out);
}

Result<PositionRecord> DecodePosition(std::string_view bytes) {
  pb::Position in;
  if (!Parse(bytes, in)) return Error(ErrorCode::kCorrupt, "position record");
  PositionRecord record;
  AMPHORA_ASSIGN(record.kind, ToKind(in.kind()));
  record.name = in.name();
  record.inode = InodeId(in.inode());
  record.shadowed = in.shadowed();
  return record;
}

std::string Encode(const VolumeRecord& record) {
  pb::Volume out;
  out.set_id(record.id.value());
  out.set_owner(record.owner);
  out.set_created(record.created.nanoseconds());
  return Serialize(out);
}

Result<VolumeRecord> DecodeVolume(std::string_view bytes) {
  pb::Volume in;
  if (!Parse(bytes, in)) return Error(ErrorCode::kCorrupt, "volume record");
  return VolumeRecord{VolumeId(in.id()), in.owner(), Time(in.created())};
}

namespace {

// Optional numbers are stored as one more than they say.
template <typename Number>
std::uint64_t PlusOne(const std::optional<Number>& number) {
  return number ? std::uint64_t{*number} + 1 : 0;
}

template <typename Number>
std::optional<Number> MinusOne(std::uint64_t stored) {
  if (stored == 0) return std::nullopt;
  return static_cast<Number>(stored - 1);
}

void FillSettings(const BucketSettings& settings, pb::Bucket& out) {
  out.set_quota_bytes(PlusOne(settings.quota_bytes));
  out.set_quota_inodes(PlusOne(settings.quota_inodes));
  out.set_publish(static_cast<std::uint32_t>(settings.publish));
  out.set_posix_metadata(static_cast<std::uint32_t>(settings.posix_metadata));
  out.set_s3_uid(PlusOne(settings.s3_uid));
  out.set_s3_gid(PlusOne(settings.s3_gid));
  out.set_s3_permissions(PlusOne(settings.s3_permissions));
}

Result<BucketSettings> SettingsOf(const pb::Bucket& in) {
  if (in.publish() > static_cast<std::uint32_t>(Publish::kClose) ||
      in.posix_metadata() > static_cast<std::uint32_t>(PosixMetadata::kAll)) {
    return Error(ErrorCode::kCorrupt, "bucket record");
  }
  BucketSettings settings;
  settings.quota_bytes = MinusOne<std::uint64_t>(in.quota_bytes());
  settings.quota_inodes = MinusOne<std::uint64_t>(in.quota_inodes());
  settings.publish = static_cast<Publish>(in.publish());
  settings.posix_metadata = static_cast<PosixMetadata>(in.posix_metadata());
  settings.s3_uid = MinusOne<std::uint32_t>(in.s3_uid());
  settings.s3_gid = MinusOne<std::uint32_t>(in.s3_gid());
  settings.s3_permissions = MinusOne<std::uint32_t>(in.s3_permissions());
  return settings;
}

}  // namespace

std::string Encode(const BucketRecord& record) {
  pb::Bucket out;
  out.set_id(record.id.value());
  out.set_owner(record.owner);
  out.set_created(record.created.nanoseconds());
  if (record.is_link()) {
    out.set_target(record.target.value());
    out.set_target_volume(record.target_path.volume);
    out.set_target_name(record.target_path.name);
  }
  FillSettings(record.settings, out);
  return Serialize(out);
}

Result<BucketRecord> DecodeBucket(std::string_view bytes) {
  pb::Bucket in;
  if (!Parse(bytes, in)) return Error(ErrorCode::kCorrupt, "bucket record");
  BucketRecord record{BucketId(in.id()), in.owner(), Time(in.created())};
  record.target = BucketId(in.target());
  record.target_path = {in.target_volume(), in.target_name()};
  AMPHORA_ASSIGN(record.settings, SettingsOf(in));
  return record;
}

std::string Encode(const ExtentRecord& record) {
  pb::Extent out;
  out.set_blob(record.blob.value());
  out.set_blob_offset(record.blob_offset);
  out.set_length(record.length);
  return Serialize(out);
}

Result<ExtentRecord> DecodeExtent(std::string_view bytes) {
  pb::Extent in;
  if (!Parse(bytes, in)) return Error(ErrorCode::kCorrupt, "extent record");
  return ExtentRecord{BlobId(in.blob()), in.blob_offset(), in.length()};
}

std::string Encode(const UploadRecord& record) {
  pb::Upload out;
  out.set_initiated(record.initiated.nanoseconds());
  out.set_uid(record.uid);
  out.set_gid(record.gid);
  out.set_owner(record.owner);
  if (!IsDefault(record.object)) FillObject(record.object, *out.mutable_object());
  out.set_checksum_kind(static_cast<std::uint32_t>(record.checksum) + 1);
  out.set_checksum_composite(record.checksum_type == ChecksumType::kComposite);
  out.set_checksum_chosen(record.checksum_chosen);
  out.set_secret(record.secret);
  return Serialize(out);
}

Result<UploadRecord> DecodeUpload(std::string_view bytes) {
  pb::Upload in;
  if (!Parse(bytes, in)) return Error(ErrorCode::kCorrupt, "upload record");
  if (in.checksum_kind() < 1 || in.checksum_kind() > kDigestKinds) {
    return Error(ErrorCode::kCorrupt, "unknown checksum kind");
  }
  UploadRecord record;
  record.initiated = Time(in.initiated());
  record.uid = in.uid();
  record.gid = in.gid();
  record.owner = in.owner();
  if (in.has_object()) record.object = TakeObject(in.object());
  record.checksum = static_cast<DigestKind>(in.checksum_kind() - 1);
  if (in.checksum_composite()) record.checksum_type = ChecksumType::kComposite;
  record.checksum_chosen = in.checksum_chosen();
  record.secret = in.secret();
  return record;
}

std::string Encode(const PartRecord& record) {
  pb::Part out;
  out.set_size(record.size);
  out.set_etag(record.etag);
  out.set_checksum(record.checksum);
  out.set_modified(record.modified.nanoseconds());
  out.set_blob(record.blob.value());
  out.set_blob_offset(record.blob_offset);
  out.set_alone(record.alone);
  return Serialize(out);
}

Result<PartRecord> DecodePart(std::string_view bytes) {
  pb::Part in;
  if (!Parse(bytes, in)) return Error(ErrorCode::kCorrupt, "part record");
  PartRecord record;
  record.size = in.size();
  record.etag = in.etag();
  record.checksum = in.checksum();
  record.modified = Time(in.modified());
  record.blob = BlobId(in.blob());
  record.blob_offset = in.blob_offset();
  record.alone = in.alone();
  return record;
}

std::string Encode(const FinishedUploadRecord& record) {
  pb::FinishedUpload out;
  out.set_bucket(record.bucket.value());
  out.set_key(record.key);
  out.set_secret(record.secret);
  out.set_finished(record.finished.nanoseconds());
  out.set_etag(record.etag);
  out.set_size(record.size);
  out.set_parts(record.parts);
  if (record.checksum) FillChecksum(*record.checksum, out);
  return Serialize(out);
}

Result<FinishedUploadRecord> DecodeFinishedUpload(std::string_view bytes) {
  pb::FinishedUpload in;
  if (!Parse(bytes, in)) return Error(ErrorCode::kCorrupt, "finished upload record");
  FinishedUploadRecord record;
  record.bucket = BucketId(in.bucket());
  record.key = in.key();
  record.secret = in.secret();
  record.finished = Time(in.finished());
  record.etag = in.etag();
  record.size = in.size();
  record.parts = in.parts();
  AMPHORA_ASSIGN(record.checksum, TakeChecksum(in));
  return record;
}

std::string Encode(const BlobRecord& record) {
  pb::BlobReferences out;
  out.set_count(record.references);
  return Serialize(out);
}

Result<BlobRecord> DecodeBlob(std::string_view bytes) {
  pb::BlobReferences in;
  if (!Parse(bytes, in)) return Error(ErrorCode::kCorrupt, "blob record");
  return BlobRecord{in.count()};
}

std::string Encode(const AccessKeyRecord& record) {
  pb::AccessKey out;
  out.set_secret(record.secret);
  out.set_uid(record.uid);
  out.set_gid(record.gid);
  out.set_owner(record.owner);
  out.set_created(record.created.nanoseconds());
  return Serialize(out);
}

Result<AccessKeyRecord> DecodeAccessKey(std::string_view bytes) {
  pb::AccessKey in;
  if (!Parse(bytes, in)) return Error(ErrorCode::kCorrupt, "access key record");
  return AccessKeyRecord{in.secret(), in.uid(), in.gid(), in.owner(), Time(in.created())};
}

std::string Encode(const ReservationRecord& record) {
  pb::Reservation out;
  out.set_limit(record.limit);
  out.set_clean(record.clean);
  return Serialize(out);
}

Result<ReservationRecord> DecodeReservation(std::string_view bytes) {
  pb::Reservation in;
  if (!Parse(bytes, in)) return Error(ErrorCode::kCorrupt, "reservation record");
  return ReservationRecord{in.limit(), in.clean()};
}

}  // namespace amphora::fs
