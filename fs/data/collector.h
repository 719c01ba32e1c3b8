// Deferred deletion: removes blobs from the collector's queue ('G' rows), each only after the
// transaction that freed it is durable (hazards 5.7); and, once a second, settles what has been
// dirty for a while. One background thread. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "fs/types.h"

namespace amphora::fs {

class Core;

class Collector {
 public:
  explicit Collector(Core& core);
  ~Collector();  // joins the thread
  void Start();
  // There is something in the queue.
  void Kick();
  // Removes everything that is in the queue now; answers how many.
  Result<std::uint64_t> RunOnce(const std::function<void(std::uint64_t)>& progress);
  std::uint64_t queued() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace amphora::fs
