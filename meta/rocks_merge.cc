#include "meta/rocks_merge.h"

#include <rocksdb/slice.h>

#include <exception>
#include <string>
#include <string_view>

#include "meta/kv.h"

namespace amphora::meta {
namespace {

std::string_view View(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

// Adding is associative and a value is an operand too, so one function serves full and partial
// merges.
class MergeValueOperator final : public rocksdb::AssociativeMergeOperator {
 public:
  const char* Name() const override { return "amphora.MergeValue"; }
  const char* NickName() const override { return "MergeValue"; }

  // False, which RocksDB reports as corruption, when either side is no MergeValue.
  bool Merge(const rocksdb::Slice& /*key*/, const rocksdb::Slice* existing,
             const rocksdb::Slice& operand, std::string* merged,
             rocksdb::Logger* /*logger*/) const override {
    try {
      Result<MergeValue> sum = DecodeMergeValue(View(operand));
      if (!sum.ok()) return false;
      if (existing != nullptr) {
        const Result<MergeValue> base = DecodeMergeValue(View(*existing));
        if (!base.ok()) return false;
        sum->Add(*base);
      }
      *merged = EncodeMergeValue(*sum);
      return true;
    } catch (const std::exception&) {
      return false;
    }
  }
};

}  // namespace

std::shared_ptr<rocksdb::MergeOperator> NewMergeValueOperator() {
  return std::make_shared<MergeValueOperator>();
}

}  // namespace amphora::meta
