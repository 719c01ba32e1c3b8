// Transact: runs a closure in a transaction and commits it; runs it again on conflict, a bounded
// number of times with a growing random pause. The closure has no effect outside the transaction.
#pragma once

#include <type_traits>
#include <utility>

#include "meta/base/metrics.h"
#include "meta/kv.h"

namespace amphora::meta {

template <typename T>
struct Committed {
  T value;
  Ticket ticket = 0;
};
template <>
struct Committed<void> {
  Ticket ticket = 0;
};

inline constexpr int kMaxAttempts = 200;

// Sleeps before attempt `attempt` (1 is the first repetition): 0 at first, at most 20 ms.
void PauseBeforeRetry(int attempt);

// `body(Transaction&)` returns Result<T>. Its error, other than kConflict, ends the attempt and is
// returned; nothing is written then.
template <typename Body>
auto Transact(Store& store, Body&& body)
    -> Result<Committed<typename std::invoke_result_t<Body&, Transaction&>::value_type>> {
  using T = typename std::invoke_result_t<Body&, Transaction&>::value_type;
  for (int attempt = 1;; ++attempt) {
    std::unique_ptr<Transaction> transaction = store.Begin();
    auto answer = body(*transaction);
    Error error(ErrorCode::kConflict);
    if (answer.ok()) {
      Result<Ticket> ticket = transaction->Commit();
      if (ticket.ok()) {
        if constexpr (std::is_void_v<T>) {
          return Committed<void>{*ticket};
        } else {
          return Committed<T>{std::move(*answer), *ticket};
        }
      }
      error = ticket.error();
    } else {
      error = answer.error();
    }
    if (error.code() != ErrorCode::kConflict || attempt == kMaxAttempts) return error;
    transaction.reset();
    Count(Counter::kStoreConflicts);
    PauseBeforeRetry(attempt);
  }
}

}  // namespace amphora::meta
