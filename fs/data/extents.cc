#include "fs/data/extents.h"

#include <algorithm>
#include <set>

#include "fs/core.h"
#include "fs/data/blob_pins.h"

namespace amphora::fs {
namespace {

constexpr std::uint64_t kCopyStep = 64 << 20;  // a multiple of every disk's block, for reflinks

Status CopyInto(Core& core, const std::vector<ExtentRecord>& extents, Blob& target,
                const std::function<bool()>& go_on) {
  std::uint64_t at = 0;
  for (const ExtentRecord& extent : extents) {
    AMPHORA_ASSIGN(const auto source, core.blobs->Open(extent.blob));
    for (std::uint64_t done = 0; done < extent.length;) {
      if (!go_on()) return Error(ErrorCode::kBusy, "joining extents was interrupted");
      const std::uint64_t length = std::min(kCopyStep, extent.length - done);
      AMPHORA_ASSIGN(
          const std::uint64_t copied,
          core.blobs->CopyRange(*source, extent.blob_offset + done, target, at + done, length));
      if (copied != length) return Error(ErrorCode::kCorrupt, "an extent is shorter than it says");
      done += copied;
    }
    at += extent.length;
  }
  return Ok();
}

}  // namespace

Result<std::size_t> ReadFromExtents(Core& core, const std::vector<ExtentRecord>& extents,
                                    std::uint64_t offset, std::span<std::byte> buffer) {
  std::size_t done = 0;
  for (const ExtentRecord& extent : extents) {
    if (done == buffer.size()) break;
    if (offset >= extent.length) {
      offset -= extent.length;
      continue;
    }
    const std::size_t length =
        std::min<std::uint64_t>(buffer.size() - done, extent.length - offset);
    AMPHORA_ASSIGN(const auto blob, core.blobs->Open(extent.blob));
    AMPHORA_ASSIGN(const std::size_t got,
                   blob->Read(extent.blob_offset + offset, buffer.subspan(done, length)));
    if (got != length) return Error(ErrorCode::kCorrupt, "an extent is shorter than it says");
    done += length;
    offset = 0;
  }
  return done;
}

Result<std::shared_ptr<Blob>> JoinExtents(Core& core, const std::vector<ExtentRecord>& extents,
                                          const std::function<bool()>& go_on) {
  AMPHORA_ASSIGN(auto target, core.blobs->Take());
  const Status copied = CopyInto(core, extents, *target, go_on);
  if (copied.ok()) return target;
  // Nobody will name it. If this fails too, start-up finds it among the unsettled ids.
  (void)core.blobs->Remove(target->id());
  return copied.error();
}

std::vector<std::shared_ptr<void>> PinBlobs(BlobPins& pins,
                                            const std::vector<ExtentRecord>& extents) {
  std::set<BlobId> blobs;
  for (const ExtentRecord& extent : extents) blobs.insert(extent.blob);
  std::vector<std::shared_ptr<void>> held;
  held.reserve(blobs.size());
  for (const BlobId blob : blobs) held.push_back(pins.Pin(blob));
  return held;
}

}  // namespace amphora::fs
