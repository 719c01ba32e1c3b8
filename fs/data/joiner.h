// Makes one blob of files that have extents, in the background: one thread of its own, since
// without reflink it copies bytes. A file that somebody has open is left for later. Thread-safe.
#pragma once

#include <memory>

#include "fs/types.h"

namespace amphora::fs {

class Core;

class Joiner {
 public:
  explicit Joiner(Core& core);
  ~Joiner();  // stops between two steps of a copy, and joins the thread
  void Start();
  // There is something in the queue ('J' rows).
  void Kick();
  // Joins all that is in the queue now, except what is open.
  Status RunOnce();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace amphora::fs
