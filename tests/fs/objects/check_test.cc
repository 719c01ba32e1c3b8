// Check must find damage: rows are changed behind the engine's back, and each must be told by its
// kind.
#include <gtest/gtest.h>

#include <functional>

#include "fs/keys.h"
#include "fs/records.h"
#include "meta/rocks_store.h"
#include "meta/run.h"
#include "tests/fs/objects/object_fixture.h"

namespace amphora::fs {
namespace {

using meta::Table;

class CheckTest : public test::ObjectTest {
 protected:
  void SetUp() override {
    test::ObjectTest::SetUp();
    ASSERT_TRUE(Put("dir/file", "content").ok());
    ASSERT_TRUE(Put("large", std::string(1 << 20, 'x')).ok());
    dir_ = Find("dir")->inode;
    file_ = Find("dir/file")->inode;
  }
  // The store is damaged on purpose.
  void TearDown() override { engine_.reset(); }

  void Damage(const std::function<Status(meta::Transaction&)>& change) {
    engine_.reset();
    {
      meta::RocksOptions options;
      options.directory = scratch_.path() + "/data/meta";
      auto store = meta::OpenRocksStore(options);
      ASSERT_TRUE(store.ok()) << store.error().ToString();
      ASSERT_TRUE(meta::Transact(**store, change).ok());
    }
    Reopen();
  }

  Status ChangeInode(meta::Transaction& kv, InodeId inode,
                     const std::function<void(InodeRecord&)>& change) {
    AMPHORA_ASSIGN(const auto bytes, kv.Get(Table::kRows, InodeKey(inode)));
    AMPHORA_ASSIGN(InodeRecord record, DecodeInode(*bytes));
    change(record);
    return kv.Put(Table::kRows, InodeKey(inode), Encode(record));
  }

  void ExpectFinding(std::string_view kind) {
    const auto report = engine_->admin().Check({});
    ASSERT_TRUE(report.ok());
    std::string kinds;
    for (const Finding& finding : report->findings) {
      if (finding.kind == kind) return;
      kinds += finding.kind + " ";
    }
    ADD_FAILURE() << kind << " was not found, but: " << kinds;
  }

  InodeId dir_;
  InodeId file_;
};

TEST_F(CheckTest, FindsNothingInAHealthyStore) { ExpectConsistent(); }

TEST_F(CheckTest, FindsANameWithoutAnInode) {
  Damage([&](meta::Transaction& kv) { return kv.Erase(Table::kRows, InodeKey(file_)); });
  ExpectFinding("dangling-name");
  ExpectFinding("stray-content");
}

TEST_F(CheckTest, FindsAnInodeWithoutAName) {
  Damage([&](meta::Transaction& kv) {
    return kv.Erase(Table::kRows, DentryKey(dir_, "file", false));
  });
  ExpectFinding("unreachable-inode");
  ExpectFinding("stray-position");
  ExpectFinding("wrong-directory-sums");
  ExpectFinding("empty-implicit-directory");
}

TEST_F(CheckTest, FindsAWrongLinkCount) {
  Damage([&](meta::Transaction& kv) {
    return ChangeInode(kv, file_, [](InodeRecord& record) { record.links = 3; });
  });
  ExpectFinding("wrong-link-count");
}

TEST_F(CheckTest, FindsAWrongParentAndBucket) {
  Damage([&](meta::Transaction& kv) {
    return ChangeInode(kv, dir_, [&](InodeRecord& record) {
      record.parent = dir_;
      record.bucket = BucketId(dir_.value());
    });
  });
  ExpectFinding("wrong-parent");
  ExpectFinding("unreachable-directory");
  ExpectFinding("wrong-bucket");
  ExpectFinding("wrong-usage");
}

TEST_F(CheckTest, FindsContentThatIsMissing) {
  Damage([&](meta::Transaction& kv) { return kv.Erase(Table::kContent, ContentKey(file_)); });
  ExpectFinding("missing-content");
}

TEST_F(CheckTest, FindsAWrongUsageAndFlags) {
  Damage([&](meta::Transaction& kv) -> Status {
    meta::MergeValue one;
    one.sums[kFiles] = 1;
    AMPHORA_TRY(kv.Merge(Table::kRows, UsageKey(bucket_), one));
    return ChangeInode(kv, file_, [](InodeRecord& record) { record.has_xattrs = true; });
  });
  ExpectFinding("wrong-usage");
  ExpectFinding("wrong-xattr-flag");
}

TEST_F(CheckTest, FindsABlobThatIsMissingAndAWrongCount) {
  const InodeId large = Find("large")->inode;
  Damage([&](meta::Transaction& kv) {
    return ChangeInode(kv, large, [](InodeRecord& record) { record.blob = BlobId(1'000'000); });
  });
  ExpectFinding("missing-blob");
  ExpectFinding("wrong-reference-count");
  ExpectFinding("missing-reference-row");
  ExpectFinding("unreserved-id");
}

TEST_F(CheckTest, FindsABucketWithoutItsRow) {
  const auto volume = engine_->buckets().GetVolume("s3v");
  Damage([&](meta::Transaction& kv) {
    return kv.Erase(Table::kRows, BucketKey(volume->id, "bucket"));
  });
  ExpectFinding("wrong-volume-or-bucket");
}

}  // namespace
}  // namespace amphora::fs
