// What every store test stands on: a fresh directory, a store in it, and the list of
// implementations that the typed tests run over. A new implementation adds one struct and one name
// to Implementations.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "meta/base/failpoint.h"
#include "meta/kv.h"
#include "meta/rocks_store.h"
#include "meta/run.h"

namespace amphora::meta {

// A directory of its own, removed with all that is in it.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    const char* base = std::getenv("TMPDIR");
    path_ = std::string(base == nullptr ? "/tmp" : base) + "/amphora-meta-test.XXXXXX";
    if (mkdtemp(path_.data()) == nullptr) std::abort();
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// Short, because many tests run into it on purpose.
inline constexpr int kLockTimeoutMs = 50;

struct RocksImplementation {
  static Result<std::unique_ptr<Store>> Open(const std::string& directory) {
    return OpenRocksStore({.directory = directory + "/store", .lock_timeout_ms = kLockTimeoutMs});
  }
};
// Small memtables: rows move to tables and blob files while a test runs.
struct SmallRocksImplementation {
  static Result<std::unique_ptr<Store>> Open(const std::string& directory) {
    return OpenRocksStore({.directory = directory + "/store",
                           .block_cache_bytes = 1u << 20,
                           .rows_memtable_bytes = 64u << 10,
                           .content_memtable_bytes = 64u << 10,
                           .lock_timeout_ms = kLockTimeoutMs});
  }
};
// Every row may come from the row cache, which is small enough to drop rows while a test runs.
struct CachingRocksImplementation {
  static Result<std::unique_ptr<Store>> Open(const std::string& directory) {
    std::string kinds;
    for (int byte = 0; byte < 256; ++byte) kinds += static_cast<char>(byte);
    return OpenRocksStore({.directory = directory + "/store",
                           .cached_kinds = kinds,
                           .row_cache_bytes = 64u << 10,
                           .lock_timeout_ms = kLockTimeoutMs});
  }
};
using Implementations =
    ::testing::Types<RocksImplementation, SmallRocksImplementation, CachingRocksImplementation>;

template <typename Implementation>
class StoreTest : public ::testing::Test {
 protected:
  void SetUp() override { Open(); }
  void TearDown() override { DisarmAllFailpoints(); }

  void Open() {
    store_.reset();
    Result<std::unique_ptr<Store>> opened = Implementation::Open(directory_.path());
    ASSERT_TRUE(opened.ok()) << opened.error().ToString();
    store_ = std::move(*opened);
  }
  Store& store() { return *store_; }
  Reader& newest() { return store_->Newest(); }

  // A committed put.
  Ticket Put(std::string_view key, std::string_view value, Table table = Table::kRows) {
    const auto done = Transact(
        store(), [&](Transaction& transaction) { return transaction.Put(table, key, value); });
    EXPECT_TRUE(done.ok());
    return done.ok() ? done->ticket : 0;
  }
  void Erase(std::string_view key, Table table = Table::kRows) {
    EXPECT_TRUE(Transact(store(), [&](Transaction& transaction) {
                  return transaction.Erase(table, key);
                }).ok());
  }
  std::string Value(Reader& reader, std::string_view key, Table table = Table::kRows) {
    const auto found = reader.Get(table, key);
    if (!found.ok()) return "error: " + found.error().ToString();
    return found->value_or("(none)");
  }
  std::string Value(std::string_view key) { return Value(newest(), key); }
  // "a=1 b=2"
  std::string Text(const Result<std::vector<Row>>& rows) {
    if (!rows.ok()) return "error: " + rows.error().ToString();
    std::string text;
    for (const Row& row : *rows) {
      text += (text.empty() ? "" : " ") + row.key + "=" + row.value;
    }
    return text;
  }

  TemporaryDirectory directory_;
  std::unique_ptr<Store> store_;
};

}  // namespace amphora::meta
