// PUT. A key that does not end in '/' puts a fresh inode in place of the file's name; a directory
// of the same name stays beside it (hazards 4.1, 4.2). A key "dir/" makes the directory explicit;
// its content, if any, is the file with the empty name inside it.
//
// Kept of the replaced name: owner, group, mode, ACL, unless the metadata says otherwise. Not kept:
// setuid and setgid bits, because the content is another's now, as with a write(2) by somebody
// else.

#include "fs/ops/put_object.h"

#include <algorithm>
#include <map>
#include <utility>

#include "fs/bucket_states.h"
#include "fs/core.h"
#include "fs/data/digests.h"
#include "fs/data/joiner.h"
#include "fs/data/live.h"
#include "fs/ops/describe.h"
#include "fs/ops/displace.h"
#include "fs/ops/posix_metadata.h"
#include "fs/ops/resolve_key.h"
#include "meta/base/failpoint.h"

namespace amphora::fs {
namespace {

constexpr std::uint32_t kFilePermissions = 0644;
constexpr std::uint32_t kSetUserId = 04000;
constexpr std::uint32_t kSetGroupId = 02000;
constexpr std::size_t kXattrsAScan = 100;
constexpr std::string_view kCapabilities = "security.capability";

class Put {
 public:
  Put(Core& core, PutRequest request)
      : core_(core),
        request_(std::move(request)),
        object_(request_.object),
        path_(SplitKey(request_.key)),
        displaced_(core) {}

  Result<PutResult> Run();

 private:
  Status LookAhead();
  Result<ObjectInfo> Transact(Tx& tx);
  Result<ObjectInfo> PutFile(Tx& tx, InodeId directory, bool fresh);
  Result<ObjectInfo> PutDirectory(Tx& tx, InodeId directory, bool fresh);
  Status ClearContent(Tx& tx, InodeId directory, const InodeRecord& row);
  Status CheckConditions(const std::optional<std::pair<InodeId, InodeRecord>>& current) const;
  Result<InodeRecord> NewRecord(Tx& tx, const std::optional<InodeRecord>& old,
                                const std::optional<InodeRecord>& parent) const;
  void Describe(InodeRecord& record) const;
  void TakePosix(InodeRecord& record) const;
  Status CopyXattrs(Tx& tx, InodeId from, InodeRecord& record) const;
  Status WriteContent(Tx& tx) const;
  Status WritePartChecksums(Tx& tx, InodeRecord& record) const;

  Core& core_;
  PutRequest request_;
  NewObject& object_;
  const KeyPath path_;
  InodeId fresh_inode_;
  std::size_t existing_directories_ = 0;  // when last looked at: a hint that saves lock upgrades
  Displacement displaced_;
};

// Sees how far the path exists.
Status Put::LookAhead() {
  meta::Reader& newest = core_.store->Newest();
  InodeId directory(request_.bucket.value());
  for (const std::string_view name : path_.directories) {
    AMPHORA_ASSIGN(const auto dentry, ReadDentry(newest, directory, name, true));
    if (!dentry) return Ok();
    directory = dentry->inode;
    ++existing_directories_;
  }
  return Ok();
}

Status Put::CheckConditions(const std::optional<std::pair<InodeId, InodeRecord>>& current) const {
  const Conditions& conditions = request_.conditions;
  if (conditions.empty()) return Ok();
  if (!current) return CheckWriteConditions(conditions, std::nullopt);
  return CheckWriteConditions(conditions, EtagNow(core_, current->first, current->second));
}

Result<InodeRecord> Put::NewRecord(Tx& tx, const std::optional<InodeRecord>& old,
                                   const std::optional<InodeRecord>& parent) const {
  InodeRecord record;
  record.kind = FileKind::kRegular;
  record.permissions = kFilePermissions;
  if (old) {
    record.uid = old->uid;
    record.gid = old->gid;
    if (old->kind != FileKind::kSymlink) {
      record.permissions = old->permissions & ~(kSetUserId | kSetGroupId);
    }
  } else {
    AMPHORA_ASSIGN(const NewOwner owner, OwnerFor(tx, request_.bucket, request_.caller));
    record.uid = owner.uid;
    record.gid = parent && (parent->permissions & kSetGroupId) != 0 ? parent->gid : owner.gid;
    record.permissions = owner.permissions.value_or(kFilePermissions);
  }
  record.links = 1;
  record.size = object_.content.size;
  record.born = record.accessed = record.modified = record.changed = record.last_modified =
      tx.now();
  record.bucket = request_.bucket;
  record.content = object_.content.kind;
  record.blob = object_.content.blob;
  record.content_stamp = tx.stamp();
  Describe(record);
  TakePosix(record);
  return record;
}

// Mode, owner and mtime as clients write them into user metadata. Somebody gives a file away only
// where he may (chown(2)): without access keys, or as root.
void Put::TakePosix(InodeRecord& record) const {
  const GivenPosix given = ReadPosixMetadata(object_.metadata);
  const Caller& caller = request_.caller;
  const bool anybody = caller.uid == 0;
  if (given.permissions) record.permissions = *given.permissions;
  if (given.uid && (anybody || *given.uid == caller.uid)) record.uid = *given.uid;
  if (given.gid && (anybody || *given.gid == caller.gid)) record.gid = *given.gid;
  if (given.modified) record.modified = *given.modified;
}

void Put::Describe(InodeRecord& record) const {
  record.object = object_.metadata;
  record.etag = object_.etag;
  record.checksum = object_.checksum;
  record.parts = object_.parts;
  record.part_runs = object_.part_runs;
  record.upload = object_.upload;
}

Status Put::WritePartChecksums(Tx& tx, InodeRecord& record) const {
  record.has_part_checksums = !object_.part_checksums.empty();
  if (!record.has_part_checksums) return Ok();
  return tx.kv().PutFresh(Table::kRows, PartChecksumsKey(fresh_inode_), object_.part_checksums);
}

// What belongs to the name (ACLs, labels, trusted.*) goes over to the new inode; what described the
// old content (user.*) or gave it power (capabilities) doesn't.
Status Put::CopyXattrs(Tx& tx, InodeId from, InodeRecord& record) const {
  meta::KeyRange range = RangeOf(RowKind::kXattr, from);
  for (;;) {
    AMPHORA_ASSIGN(const auto rows, tx.kv().Scan(Table::kRows, range, {.limit = kXattrsAScan}));
    for (const meta::Row& row : rows) {
      const std::string_view name = DecodeTextOf(row.key);
      if (name.starts_with("user.") || name == kCapabilities) continue;
      AMPHORA_TRY(tx.kv().PutFresh(Table::kRows, XattrKey(fresh_inode_, name), row.value));
      record.has_xattrs = true;
    }
    if (rows.size() < kXattrsAScan) return Ok();
    range.begin = rows.back().key + '\0';
  }
}

Status Put::WriteContent(Tx& tx) const {
  const StagedContent& content = object_.content;
  if (content.kind == ContentKind::kInline) {
    AMPHORA_TRY(tx.PutInlineContent(fresh_inode_, content.inline_bytes));
  }
  std::map<BlobId, std::int64_t> references;
  if (content.kind == ContentKind::kBlob) ++references[content.blob];
  std::uint64_t offset = 0;
  for (const ExtentRecord& extent : content.extents) {
    AMPHORA_TRY(tx.kv().PutFresh(Table::kRows, ExtentKey(fresh_inode_, offset), Encode(extent)));
    offset += extent.length;
    ++references[extent.blob];
  }
  if (content.kind == ContentKind::kExtents) {
    AMPHORA_TRY(tx.kv().PutFresh(Table::kRows, JoinKey(fresh_inode_), ""));
  }
  for (const BlobId blob : content.given) --references[blob];
  for (const auto& [blob, change] : references) {
    AMPHORA_TRY(tx.ChangeBlobReferences(blob, change));
  }
  return Ok();
}

// The name path_.file in `directory` gets a fresh inode.
Result<ObjectInfo> Put::PutFile(Tx& tx, InodeId directory, bool fresh) {
  Slot slot{directory, std::string(path_.file), std::nullopt, std::nullopt};
  std::optional<InodeRecord> parent;
  if (!fresh) {
    // Shared, and before the name: the order in which DELETE takes them too.
    AMPHORA_ASSIGN(parent, LockParentForObject(tx, request_.bucket, directory));
    AMPHORA_ASSIGN(slot, ReadSlot(tx, directory, path_.file, Lock::kExclusive));
  }
  std::optional<std::pair<InodeId, InodeRecord>> current;
  if (slot.file) {
    AMPHORA_ASSIGN(InodeRecord record, tx.GetInode(slot.file->inode, Lock::kExclusive));
    current.emplace(slot.file->inode, std::move(record));
  } else if (path_.directory_key && parent && !parent->implicit) {
    current.emplace(directory, *parent);
  }
  const bool hidden = slot.file && current->second.unpublished;
  AMPHORA_TRY(CheckConditions(hidden ? std::nullopt : current));

  std::optional<InodeRecord> old;
  if (slot.file) old = current->second;
  AMPHORA_ASSIGN(InodeRecord record, NewRecord(tx, old, parent));
  record.parent = directory;
  record.name = path_.file;
  if (old && old->has_xattrs) AMPHORA_TRY(CopyXattrs(tx, slot.file->inode, record));
  AMPHORA_TRY(WriteContent(tx));
  AMPHORA_TRY(WritePartChecksums(tx, record));
  AMPHORA_TRY(tx.PutFreshInode(fresh_inode_, record));
  AMPHORA_TRY(tx.AddUsage(request_.bucket, 1, 0, static_cast<std::int64_t>(record.size)));
  if (slot.file) {
    AMPHORA_TRY(displaced_.DropName(tx, slot.file->inode));
    AMPHORA_TRY(ReplaceEntry(tx, slot, request_.bucket, {fresh_inode_, record.kind}));
  } else {
    AMPHORA_TRY(AddEntry(tx, slot, request_.bucket, {fresh_inode_, record.kind}));
  }
  return DescribeObject(std::string(request_.key), fresh_inode_, record, Detail::kFull);
}

// A zero-byte PUT of "dir/": content that an earlier one left goes.
Status Put::ClearContent(Tx& tx, InodeId directory, const InodeRecord& row) {
  AMPHORA_ASSIGN(Slot slot, ReadSlot(tx, directory, "", Lock::kExclusive));
  std::optional<std::pair<InodeId, InodeRecord>> current;
  if (slot.file) {
    AMPHORA_ASSIGN(InodeRecord record, tx.GetInode(slot.file->inode, Lock::kExclusive));
    current.emplace(slot.file->inode, std::move(record));
  } else if (!row.implicit) {
    current.emplace(directory, row);
  }
  AMPHORA_TRY(CheckConditions(current));
  if (!slot.file) return Ok();
  AMPHORA_TRY(displaced_.DropName(tx, current->first));
  return RemoveEntry(tx, slot, request_.bucket, false);
}

// The key "dir/": `directory` exists by now.
Result<ObjectInfo> Put::PutDirectory(Tx& tx, InodeId directory, bool fresh) {
  AMPHORA_ASSIGN(InodeRecord record, tx.GetInode(directory, Lock::kExclusive));
  if (record.links == 0) return Error(ErrorCode::kConflict, "the directory vanished");
  const bool with_content = object_.content.size != 0;
  std::optional<ObjectInfo> content;
  if (with_content) {
    AMPHORA_ASSIGN(content, PutFile(tx, directory, fresh));
  } else if (fresh) {
    AMPHORA_TRY(CheckConditions(std::nullopt));
  } else {
    AMPHORA_TRY(ClearContent(tx, directory, record));
  }
  record.implicit = false;
  record.object = ObjectMetadata();
  record.ForgetDigests();
  if (!with_content) Describe(record);
  record.content_stamp = tx.stamp();
  record.last_modified = tx.now();
  TakePosix(record);
  AMPHORA_TRY(tx.PutInode(directory, record));
  meta::MergeValue times;
  times.latest[kModified] = {tx.stamp(), record.modified.nanoseconds()};
  if (ReadPosixMetadata(object_.metadata).modified) AMPHORA_TRY(tx.MergeSums(directory, times));
  tx.AddAttributeChange(directory, request_.bucket);
  if (content) return std::move(*content);
  return DescribeObject(std::string(request_.key), directory, record, Detail::kFull);
}

Result<ObjectInfo> Put::Transact(Tx& tx) {
  displaced_.Begin();
  if (request_.decide) AMPHORA_TRY(request_.decide(tx, object_));
  AMPHORA_ASSIGN(const MadeDirectories made,
                 MakeDirectories(tx, request_.bucket, request_.caller, path_.directories,
                                 existing_directories_));
  auto info = path_.directory_key ? PutDirectory(tx, made.directory, made.fresh)
                                  : PutFile(tx, made.directory, made.fresh);
  if (!info.ok()) return info.error();
  AMPHORA_TRY(Failpoint(request_.before_commit));
  return info;
}

Result<PutResult> Put::Run() {
  AMPHORA_TRY(LookAhead());
  AMPHORA_ASSIGN(fresh_inode_, core_.NewInodeId());
  auto committed = core_.Run(request_.caller.origin, [this](Tx& tx) { return Transact(tx); });
  if (committed.ok()) {
    displaced_.Finish();
    if (object_.content.kind == ContentKind::kExtents) core_.joiner->Kick();
    return PutResult{std::move(committed->value), committed->ticket};
  }
  const bool refused =
      committed.Is(ErrorCode::kPreconditionFailed) || committed.Is(ErrorCode::kNotFound);
  if (refused) AMPHORA_TRY(core_.store->WaitDurable(core_.store->LastTicket()));
  return committed.error();
}

// The face's writer.
class StagedWriter final : public ObjectWriter {
 public:
  StagedWriter(Core& core, const BeginPutRequest& request, std::vector<DigestKind> kinds)
      : core_(core),
        bucket_(request.bucket),
        key_(request.key),
        stage_(core, request.declared_size),
        digests_(kinds) {}

  Status Append(std::span<const std::byte> data) override {
    if (data.size() > kMaxPutBytes - stage_.size()) {
      return Error(ErrorCode::kFileTooLarge, "one PUT carries at most 5 GiB");
    }
    digests_.Update(data);
    return stage_.Append(data);
  }

  std::uint64_t size() const override { return stage_.size(); }

  Result<PutOutcome> Commit(const PutOptions& options) override {
    if (std::exchange(committed_, true)) {
      return Error(ErrorCode::kInvalidArgument, "a PUT commits once");
    }
    const Digests computed = digests_.Finish();
    AMPHORA_TRY(CheckDigests(options.expected, computed));
    if (options.keep_checksum && computed[*options.keep_checksum].empty()) {
      return Error(ErrorCode::kInvalidArgument, "the checksum to keep was not computed");
    }
    NewObject object;
    AMPHORA_ASSIGN(object.content, stage_.Finish());
    object.metadata = options.metadata;
    object.etag = computed[DigestKind::kMd5];
    const DigestKind checksum = options.keep_checksum.value_or(DigestKind::kCrc64Nvme);
    object.checksum = {.kind = checksum, .value = computed[checksum]};
    auto stored = PutObject(core_, {.bucket = bucket_,
                                    .key = key_,
                                    .conditions = options.conditions,
                                    .caller = options.caller,
                                    .object = std::move(object),
                                    .decide = {}});
    if (!stored.ok()) return stored.error();
    stage_.Keep();
    AMPHORA_TRY(Failpoint("fs.put.after_commit"));
    return PutOutcome{std::move(stored->info), computed, stored->ticket};
  }

 private:
  Core& core_;
  const BucketId bucket_;
  const std::string key_;
  ContentStage stage_;
  DigestSet digests_;
  bool committed_ = false;
};

bool Matches(const std::vector<std::string>& tags, const std::string& etag) {
  return std::ranges::any_of(tags,
                             [&](const std::string& tag) { return tag == "*" || tag == etag; });
}

// Before a client sends what can't be kept. The transaction decides; this only spares the bytes.
Status CheckQuotaAhead(Core& core, Objects& objects, const BeginPutRequest& request) {
  const auto state = core.bucket_states->Find(request.bucket);
  const auto size = static_cast<std::int64_t>(request.declared_size.value_or(0));
  if (state->HasRoomFor(size)) return Ok();
  const auto replaced = objects.Head(request.bucket, request.key);
  const auto freed = replaced.ok() ? static_cast<std::int64_t>(replaced->size) : 0;
  if (state->HasRoomFor(size - freed)) return Ok();
  return Error(ErrorCode::kQuotaExceeded, "the bucket's bytes");
}

}  // namespace

Status CheckWriteConditions(const Conditions& conditions, const std::optional<std::string>& etag) {
  if (!conditions.if_match.empty()) {
    if (!etag) return Error(ErrorCode::kNotFound, "If-Match without an object");
    if (!Matches(conditions.if_match, *etag)) return Error(ErrorCode::kPreconditionFailed);
  }
  if (!conditions.if_none_match.empty() && etag && Matches(conditions.if_none_match, *etag)) {
    return Error(ErrorCode::kPreconditionFailed);
  }
  return Ok();
}

// While its live state is newer than the row, that is what S3 sees; the row being held, a writer
// can't settle into it now.
std::string EtagNow(Core& core, InodeId inode, const InodeRecord& record) {
  const auto view = core.live->View(inode);
  return view && view->dirty ? view->etag : EtagText(inode, record);
}

Result<PutResult> PutObject(Core& core, PutRequest request) {
  return Put(core, std::move(request)).Run();
}

Result<std::unique_ptr<ObjectWriter>> Objects::BeginPut(const BeginPutRequest& request) {
  AMPHORA_TRY(CheckObjectKey(request.key));
  if (request.declared_size.value_or(0) > kMaxPutBytes) {
    return Error(ErrorCode::kFileTooLarge, "one PUT carries at most 5 GiB");
  }
  AMPHORA_TRY(CheckQuotaAhead(core_, *this, request));
  std::vector<DigestKind> kinds = request.digests;
  kinds.push_back(DigestKind::kMd5);
  // What is kept when the request turns out to bring no checksum of its own.
  kinds.push_back(DigestKind::kCrc64Nvme);
  return std::unique_ptr<ObjectWriter>(
      std::make_unique<StagedWriter>(core_, request, std::move(kinds)));
}

}  // namespace amphora::fs
