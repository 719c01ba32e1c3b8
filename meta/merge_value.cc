// MergeValue: how two of them combine, and their stored form (merge.proto). Called by RocksDB's
// merge operator on every thread that reads, flushes or compacts, so nothing here locks or keeps
// state.

#include <limits>

#include "meta/kv.h"
#include "meta/merge.pb.h"

namespace amphora::meta {
namespace {

// Counters wrap instead of being undefined: a damaged operand must not take the process down.
std::int64_t WrappingSum(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}

void KeepLatest(MergeValue::Stamped& current, const MergeValue::Stamped& other) {
  const bool newer = other.stamp > current.stamp;
  const bool tie_won =
      other.stamp == current.stamp && other.stamp != 0 && other.value > current.value;
  if (newer || tie_won) current = other;
}

static_assert(MergeValue::kFields == 4, "merge.proto names each field");

void ToRecord(const MergeValue& value, pb::MergeRow& row) {
  row.set_sum_0(value.sums[0]);
  row.set_sum_1(value.sums[1]);
  row.set_sum_2(value.sums[2]);
  row.set_sum_3(value.sums[3]);
  row.set_stamp_0(value.latest[0].stamp);
  row.set_stamp_1(value.latest[1].stamp);
  row.set_stamp_2(value.latest[2].stamp);
  row.set_stamp_3(value.latest[3].stamp);
  row.set_value_0(value.latest[0].value);
  row.set_value_1(value.latest[1].value);
  row.set_value_2(value.latest[2].value);
  row.set_value_3(value.latest[3].value);
}

MergeValue FromRecord(const pb::MergeRow& row) {
  MergeValue value;
  value.sums = {row.sum_0(), row.sum_1(), row.sum_2(), row.sum_3()};
  value.latest = {MergeValue::Stamped{row.stamp_0(), row.value_0()},
                  MergeValue::Stamped{row.stamp_1(), row.value_1()},
                  MergeValue::Stamped{row.stamp_2(), row.value_2()},
                  MergeValue::Stamped{row.stamp_3(), row.value_3()}};
  return value;
}

}  // namespace

void MergeValue::Add(const MergeValue& operand) {
  for (std::size_t i = 0; i < kFields; ++i) {
    sums[i] = WrappingSum(sums[i], operand.sums[i]);
    KeepLatest(latest[i], operand.latest[i]);
  }
}

std::string EncodeMergeValue(const MergeValue& value) {
  pb::MergeRow row;
  ToRecord(value, row);
  return row.SerializeAsString();
}

Result<MergeValue> DecodeMergeValue(std::string_view bytes) {
  pb::MergeRow row;
  if (bytes.size() > static_cast<std::size_t>(std::numeric_limits<int>::max()) ||
      !row.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return Error(ErrorCode::kCorrupt, "merged row");
  }
  return FromRecord(row);
}

}  // namespace amphora::meta
