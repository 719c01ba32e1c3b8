// Admin::Dump: one line per record in key order, for people and for diff. Secrets are masked. One
// snapshot.

#include <string>

#include "fs/admin.h"
#include "fs/admin/row_cursor.h"
#include "fs/core.h"
#include "meta/base/encoding.h"

namespace amphora::fs {
namespace {

// "name=value", values quoted and control bytes escaped, one space in front.
class Fields {
 public:
  explicit Fields(std::string line) : line_(std::move(line)) {}
  Fields& Add(std::string_view name, std::uint64_t value) {
    return Raw(name, std::to_string(value));
  }
  Fields& Signed(std::string_view name, std::int64_t value) {
    return Raw(name, std::to_string(value));
  }
  Fields& Flag(std::string_view name, bool value) {
    if (value) line_.append(" ").append(name);
    return *this;
  }
  Fields& Text(std::string_view name, std::string_view value) {
    static constexpr std::string_view kHex = "0123456789abcdef";
    if (value.empty()) return *this;
    std::string quoted = "\"";
    for (const char c : value) {
      const auto byte = static_cast<unsigned char>(c);
      if (byte < 0x20 || byte == 0x7f || c == '"' || c == '\\') {
        quoted.append("\\x").append(1, kHex[byte >> 4]).append(1, kHex[byte & 15]);
      } else {
        quoted.push_back(c);
      }
    }
    quoted.push_back('"');
    return Raw(name, quoted);
  }
  Fields& Raw(std::string_view name, std::string_view value) {
    line_.append(" ").append(name).append("=").append(value);
    return *this;
  }
  std::string Take() { return std::move(line_); }

 private:
  std::string line_;
};

std::string OfInode(std::string line, const InodeRecord& record) {
  Fields fields(std::move(line));
  char mode[8];
  snprintf(mode, sizeof(mode), "%04o", record.permissions & 07777u);
  fields.Add("kind", static_cast<std::uint64_t>(record.kind)).Raw("mode", mode);
  fields.Add("uid", record.uid).Add("gid", record.gid).Add("links", record.links);
  fields.Add("size", record.size).Add("bucket", record.bucket.value());
  fields.Add("content", static_cast<std::uint64_t>(record.content));
  if (record.blob.valid()) fields.Add("blob", record.blob.value());
  fields.Add("stamp", record.content_stamp);
  if (!record.etag.empty()) fields.Raw("etag", ToHex(record.etag));
  fields.Signed("born", record.born.nanoseconds())
      .Signed("modified", record.modified.nanoseconds());
  fields.Signed("changed", record.changed.nanoseconds());
  fields.Signed("last_modified", record.last_modified.nanoseconds());
  fields.Add("parent", record.parent.value()).Text("name", record.name);
  fields.Text("symlink", record.symlink).Text("content_type", record.object.content_type);
  fields.Add("user_metadata", record.object.user.size());
  fields.Flag("implicit", record.implicit).Flag("has_xattrs", record.has_xattrs);
  return fields.Take();
}

std::string OfMerged(std::string line, const meta::MergeValue& value) {
  Fields fields(std::move(line));
  for (std::size_t i = 0; i < meta::MergeValue::kFields; ++i) {
    if (value.sums[i] != 0) fields.Signed("sum" + std::to_string(i), value.sums[i]);
    if (value.latest[i].stamp != 0) {
      fields.Signed("latest" + std::to_string(i), value.latest[i].value);
    }
  }
  return fields.Take();
}

std::string OfName(std::string line, InodeId inode, FileKind kind, bool shadowed) {
  return Fields(std::move(line))
      .Add("inode", inode.value())
      .Add("kind", static_cast<std::uint64_t>(kind))
      .Flag("shadowed", shadowed)
      .Take();
}

std::string OfUpload(std::string line, const UploadRecord& record) {
  return Fields(std::move(line))
      .Signed("initiated", record.initiated.nanoseconds())
      .Text("owner", record.owner)
      .Add("uid", record.uid)
      .Add("gid", record.gid)
      .Add("checksum", static_cast<std::uint64_t>(record.checksum))
      .Flag("composite", record.checksum_type == ChecksumType::kComposite)
      .Flag("chosen", record.checksum_chosen)
      .Add("user_metadata", record.object.user.size())
      .Take();
}

Result<std::string> OfFinishedUpload(std::string line, std::string_view value) {
  AMPHORA_ASSIGN(const FinishedUploadRecord record, DecodeFinishedUpload(value));
  return Fields(std::move(line))
      .Add("bucket", record.bucket.value())
      .Text("key", record.key)
      .Text("etag", record.etag)
      .Add("size", record.size)
      .Take();
}

std::string OfPart(std::string line, const PartRecord& record) {
  return Fields(std::move(line))
      .Add("size", record.size)
      .Raw("etag", ToHex(record.etag))
      .Add("blob", record.blob.value())
      .Add("blob_offset", record.blob_offset)
      .Flag("alone", record.alone)
      .Take();
}

std::string OfExtent(std::string line, const ExtentRecord& record) {
  return Fields(std::move(line))
      .Add("blob", record.blob.value())
      .Add("blob_offset", record.blob_offset)
      .Add("length", record.length)
      .Take();
}

std::string OfAccessKey(std::string line, const AccessKeyRecord& record) {
  return Fields(std::move(line))
      .Raw("secret", "masked")
      .Add("uid", record.uid)
      .Add("gid", record.gid)
      .Text("owner", record.owner)
      .Take();
}

template <typename Record>
std::string OfOwned(std::string line, const Record& record) {
  return Fields(std::move(line))
      .Add("id", record.id.value())
      .Text("owner", record.owner)
      .Signed("created", record.created.nanoseconds())
      .Take();
}

std::string OfBucket(std::string line, const BucketRecord& record) {
  Fields fields(OfOwned(std::move(line), record));
  if (!record.is_link()) return fields.Take();
  return fields.Add("target", record.target.value())
      .Text("target_volume", record.target_path.volume)
      .Text("target_name", record.target_path.name)
      .Take();
}

Result<std::string> ValueToText(const meta::Row& row) {
  std::string line = KeyToText(row.key);
  switch (static_cast<RowKind>(row.key.empty() ? '\0' : row.key[0])) {
    case RowKind::kInode: {
      AMPHORA_ASSIGN(const InodeRecord record, DecodeInode(row.value));
      return OfInode(std::move(line), record);
    }
    case RowKind::kDentry: {
      AMPHORA_ASSIGN(const DentryRecord record, DecodeDentry(row.value));
      line = OfName(std::move(line), record.inode, record.kind, record.shadowed);
      return Fields(std::move(line)).Add("position", record.position).Take();
    }
    case RowKind::kPosition: {
      AMPHORA_ASSIGN(const PositionRecord record, DecodePosition(row.value));
      line = OfName(std::move(line), record.inode, record.kind, record.shadowed);
      return Fields(std::move(line)).Text("name", record.name).Take();
    }
    case RowKind::kDirectoryStat:
    case RowKind::kUsage: {
      AMPHORA_ASSIGN(const meta::MergeValue value, meta::DecodeMergeValue(row.value));
      return OfMerged(std::move(line), value);
    }
    case RowKind::kVolume: {
      AMPHORA_ASSIGN(const VolumeRecord record, DecodeVolume(row.value));
      return OfOwned(std::move(line), record);
    }
    case RowKind::kBucket: {
      AMPHORA_ASSIGN(const BucketRecord record, DecodeBucket(row.value));
      return OfBucket(std::move(line), record);
    }
    case RowKind::kBlob: {
      AMPHORA_ASSIGN(const BlobRecord record, DecodeBlob(row.value));
      return Fields(std::move(line)).Add("references", record.references).Take();
    }
    case RowKind::kExtent: {
      AMPHORA_ASSIGN(const ExtentRecord record, DecodeExtent(row.value));
      return OfExtent(std::move(line), record);
    }
    case RowKind::kUpload: {
      AMPHORA_ASSIGN(const UploadRecord record, DecodeUpload(row.value));
      return OfUpload(std::move(line), record);
    }
    case RowKind::kPart: {
      AMPHORA_ASSIGN(const PartRecord record, DecodePart(row.value));
      return OfPart(std::move(line), record);
    }
    case RowKind::kReservation: {
      AMPHORA_ASSIGN(const ReservationRecord record, DecodeReservation(row.value));
      return Fields(std::move(line)).Add("limit", record.limit).Add("clean", record.clean).Take();
    }
    case RowKind::kAccessKey: {
      AMPHORA_ASSIGN(const AccessKeyRecord record, DecodeAccessKey(row.value));
      return OfAccessKey(std::move(line), record);
    }
    case RowKind::kFinishedUpload:
      return OfFinishedUpload(std::move(line), row.value);
    case RowKind::kPartChecksums:
    case RowKind::kXattr:
      return Fields(std::move(line)).Add("bytes", row.value.size()).Take();
    case RowKind::kGarbage:
    case RowKind::kJoin:
    case RowKind::kUploadBlob:
    case RowKind::kLinkTo:
    case RowKind::kOrphan:
    case RowKind::kOpenForWrite:
    case RowKind::kVanishing:
      return line;
  }
  return Error(ErrorCode::kCorrupt, "a row of an unknown kind");
}

// A damaged row is shown as such: that is what dump is for. Never one with a secret in it.
std::string Damaged(const meta::Row& row) {
  const bool secret = row.key.starts_with(static_cast<char>(RowKind::kAccessKey));
  return KeyToText(row.key) + " unreadable=" + (secret ? "masked" : ToHex(row.value));
}

constexpr std::size_t kContentRowsAPage = 100;  // of up to 64 KiB each

}  // namespace

Status Admin::Dump(const std::function<bool(std::string_view)>& line) {
  const auto snapshot = core_.store->Snapshot();
  RowCursor rows(*snapshot, Table::kRows, {});
  for (;;) {
    AMPHORA_ASSIGN(const meta::Row* const row, rows.Peek());
    if (row == nullptr) break;
    const auto text = ValueToText(*row);
    if (!line(text.ok() ? *text : Damaged(*row))) {
      return Ok();
    }
    rows.Pop();
  }
  RowCursor contents(*snapshot, Table::kContent, {}, kContentRowsAPage);
  for (;;) {
    AMPHORA_ASSIGN(const meta::Row* const row, contents.Peek());
    if (row == nullptr) return Ok();
    if (!line("content " + ToHex(row->key) + " bytes=" + std::to_string(row->value.size()))) {
      return Ok();
    }
    contents.Pop();
  }
}

}  // namespace amphora::fs
