// The source of a copy: found, its conditions checked, its content held so that it can be named in
// the copy's transaction, and there checked once more. One thread.
//
//   SourceRequest → CopySource::Open → … transaction { source.Verify(tx) … } → source.Keep()
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "fs/data/live.h"
#include "fs/objects.h"
#include "fs/tx.h"

namespace amphora::fs {

class Core;

class CopySource {
 public:
  // kNotFound; kPreconditionFailed, whatever condition it was. A refusal that rests on another's
  // commit waits for it.
  static Result<CopySource> Open(Core& core, BucketId bucket, const std::string& key,
                                 const Conditions& conditions);
  CopySource(CopySource&& other) noexcept = default;
  CopySource& operator=(CopySource&&) = delete;
  ~CopySource();  // removes a clone that nobody named

  InodeId inode() const { return inode_; }
  const SharedContent& content() const { return content_; }
  const ObjectInfo& info() const { return info_; }

  // In the transaction: the row, held shared. kStale: the source is another by now, open it again.
  Result<InodeRecord> Verify(Tx& tx) const;
  // A committed row names the clone.
  void Keep() { content_.fresh.reset(); }

  // Bytes of the content, zeros where it has a hole. The whole of `buffer`: inside the size.
  Status Read(std::uint64_t offset, std::span<std::byte> buffer) const;
  // MD5 and others of a range, by reading it.
  Result<Digests> Digest(std::uint64_t offset, std::uint64_t length,
                         std::span<const DigestKind> kinds) const;

 private:
  CopySource(Core& core, InodeId inode, ObjectInfo info, SharedContent content)
      : core_(&core), inode_(inode), info_(std::move(info)), content_(std::move(content)) {}

  Core* core_;
  InodeId inode_;
  ObjectInfo info_;
  SharedContent content_;
};

// Runs `copy(CopySource&)` until it does not answer kStale.
template <typename Copy>
auto WithSource(Core& core, BucketId bucket, const std::string& key, const Conditions& conditions,
                Copy&& copy) -> std::invoke_result_t<Copy&, CopySource&> {
  constexpr int kMostLooks = 100;
  for (int look = 1; look <= kMostLooks; ++look) {
    auto source = CopySource::Open(core, bucket, key, conditions);
    if (source.Is(ErrorCode::kStale)) continue;
    if (!source.ok()) return source.error();
    auto answer = copy(*source);
    if (!answer.Is(ErrorCode::kStale)) return answer;
  }
  return Error(ErrorCode::kTimedOut, "the source is replaced all the time");
}

}  // namespace amphora::fs
