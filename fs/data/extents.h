// Content that lies in several blobs. Blobs of extents are never written in place: who wants to
// write joins them into one first. Thread-safe: functions without state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "fs/data/blob_store.h"
#include "fs/records.h"

namespace amphora::fs {

class BlobPins;
class Core;

// Bytes from `offset` on, fewer than asked only at the end of the last extent. Opens the blobs that
// it needs; they are referred to or pinned.
Result<std::size_t> ReadFromExtents(Core& core, const std::vector<ExtentRecord>& extents,
                                    std::uint64_t offset, std::span<std::byte> buffer);

// A fresh blob with the extents' bytes, by reflink where the disk can; not yet synced. `go_on` is
// asked now and then; kBusy when it says no.
Result<std::shared_ptr<Blob>> JoinExtents(Core& core, const std::vector<ExtentRecord>& extents,
                                          const std::function<bool()>& go_on);

// One pin per blob (data/blob_pins.h).
std::vector<std::shared_ptr<void>> PinBlobs(BlobPins& pins,
                                            const std::vector<ExtentRecord>& extents);

}  // namespace amphora::fs
