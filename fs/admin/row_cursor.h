// Goes over all rows of a range, a page at a time, in key order. One thread.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "meta/kv.h"

namespace amphora::fs {

class RowCursor {
 public:
  RowCursor(meta::Reader& reader, meta::Table table, meta::KeyRange range,
            std::size_t rows_a_page = 1000)
      : reader_(reader), table_(table), range_(std::move(range)), rows_a_page_(rows_a_page) {}

  // The row it stands at; null at the end. Valid until the next call.
  Result<const meta::Row*> Peek() {
    if (used_ == rows_.size() && !at_end_) {
      AMPHORA_ASSIGN(rows_, reader_.Scan(table_, range_, {.limit = rows_a_page_}));
      used_ = 0;
      at_end_ = rows_.size() < rows_a_page_;
      if (!rows_.empty()) range_.begin = rows_.back().key + '\0';
    }
    return used_ == rows_.size() ? nullptr : &rows_[used_];
  }
  void Pop() { ++used_; }

 private:
  meta::Reader& reader_;
  const meta::Table table_;
  meta::KeyRange range_;
  const std::size_t rows_a_page_;
  std::vector<meta::Row> rows_;
  std::size_t used_ = 0;
  bool at_end_ = false;
};

// Calls `take(const Row&)`, which answers a Status, for each row.
template <typename Take>
Status ForEachRow(RowCursor cursor, Take&& take) {
  for (;;) {
    AMPHORA_ASSIGN(const meta::Row* const row, cursor.Peek());
    if (row == nullptr) return Ok();
    AMPHORA_TRY(take(*row));
    cursor.Pop();
  }
}

}  // namespace amphora::fs
