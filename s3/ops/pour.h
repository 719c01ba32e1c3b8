// The loop that every upload shares: a body into one of the engine's writers.
#pragma once

#include "s3/router.h"

namespace amphora::s3 {

// Appends the rest of the body to `writer` (anything with Append), piece by piece, on the pool. At
// the end everything that the framing promised has been checked.
template <typename Writer>
Task<Outcome<void>> PourBody(Call& call, Writer& writer) {
  for (;;) {
    auto piece = co_await call.body.Next();
    if (!piece) co_return std::unexpected(std::move(piece.error()));
    if (piece->empty()) co_return Outcome<void>();
    auto append = [&] { return writer.Append(*piece); };
    auto appended = co_await OnPool(call.service.pool, append);
    if (!appended.ok()) {
      co_return std::unexpected(FromEngine(appended.error(), Subject::kObject));
    }
  }
}

}  // namespace amphora::s3
