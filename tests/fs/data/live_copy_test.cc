// copy_file_range: by reference, by extents, by bytes; and copy-up of what is shared.
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <thread>
#include <utility>
#include <vector>

#include "tests/fs/data/file_fixture.h"

namespace amphora::fs {
namespace {

using test::kInlineLimit;
using test::Pattern;
using test::ReadAll;

class LiveCopyTest : public test::FileTest {};

TEST_F(LiveCopyTest, AWholeFileOntoAnEmptyOneSharesTheBlob) {
  const std::string bytes = Pattern(8 * kInlineLimit, 1);
  ASSERT_TRUE(PutObject("a", bytes).ok());
  auto source = OpenForWrite("a");
  auto target = CreateFile("b");
  EXPECT_EQ(source->CopyTo(0, *target, 0, 1 << 30).value(), bytes.size());
  EXPECT_EQ(BlobFiles(), 1u);
  EXPECT_EQ(GetObject("b").value(), bytes);
  ASSERT_TRUE(target->Write(0, Bytes("target")).ok());
  EXPECT_EQ(GetObject("a").value(), bytes);
  ASSERT_TRUE(source->Write(bytes.size() - 6, Bytes("source")).ok());
  ASSERT_TRUE(source->Flush().ok());
  ASSERT_TRUE(target->Flush().ok());
  source.reset();
  target.reset();
  EXPECT_EQ(GetObject("a").value(), bytes.substr(0, bytes.size() - 6) + "source");
  EXPECT_EQ(GetObject("b").value(), "target" + bytes.substr(6));
  ExpectConsistent();
  ASSERT_TRUE(objects().Delete(caller_, bucket_, "a").ok());
  EXPECT_EQ(GetObject("b").value(), "target" + bytes.substr(6));
}

TEST_F(LiveCopyTest, ASharedBlobStaysWhenOneOfItsFilesGoes) {
  const std::string bytes = Pattern(8 * kInlineLimit, 2);
  ASSERT_TRUE(PutObject("a", bytes).ok());
  OpenFile("a", {})->CopyTo(0, *CreateFile("b"), 0, bytes.size()).value();
  ASSERT_TRUE(files().Unlink(caller_, root_, "a").ok());
  ASSERT_TRUE(engine_->admin().CollectGarbage({}).ok());
  EXPECT_EQ(GetObject("b").value(), bytes);
  // A shared blob is not opened in passthrough; alone again, it is.
  OpenOptions options;
  options.write = true;
  options.passthrough_possible = true;
  EXPECT_EQ(OpenFile("b", options)->mode(), AccessMode::kPassthrough);
}

TEST_F(LiveCopyTest, ASharedBlobIsOpenedThroughTheDaemon) {
  const std::string bytes = Pattern(8 * kInlineLimit, 3);
  ASSERT_TRUE(PutObject("a", bytes).ok());
  OpenFile("a", {})->CopyTo(0, *CreateFile("b"), 0, bytes.size()).value();
  OpenOptions options;
  options.write = true;
  options.passthrough_possible = true;
  for (const char* name : {"a", "b"}) {
    EXPECT_EQ(OpenFile(name, options)->mode(), AccessMode::kDaemon) << name;
  }
}

TEST_F(LiveCopyTest, RangesAreCopiedBetweenAllKindsOfContent) {
  for (const std::size_t from : {std::size_t{5000}, 6 * kInlineLimit}) {
    for (const std::size_t to : {std::size_t{0}, std::size_t{3000}, 4 * kInlineLimit}) {
      SCOPED_TRACE(from);
      SCOPED_TRACE(to);
      const std::string source = Pattern(from, 4);
      std::string target = Pattern(to, 5);
      WriteFile(root_, "a", source);
      WriteFile(root_, "b", target);
      auto into = OpenForWrite("b");
      const std::uint64_t copied = OpenFile("a", {})->CopyTo(1000, *into, 2000, from).value();
      EXPECT_EQ(copied, from - 1000);
      if (target.size() < 2000 + copied) target.resize(2000 + copied, '\0');
      target.replace(2000, copied, source.substr(1000));
      EXPECT_EQ(ReadAll(*into, 0, target.size() + 1), target);
      ASSERT_TRUE(into->Flush().ok());
      into.reset();
      EXPECT_EQ(GetObject("b").value(), target);
    }
  }
}

TEST_F(LiveCopyTest, WithinOneFileRangesMustNotOverlap) {
  for (const std::size_t size : {std::size_t{4096}, 8 * kInlineLimit}) {
    std::string bytes = Pattern(size, 6);
    WriteFile(root_, "f", bytes);
    auto handle = OpenForWrite("f");
    EXPECT_TRUE(handle->CopyTo(0, *handle, 100, 200).Is(ErrorCode::kInvalidArgument));
    EXPECT_EQ(handle->CopyTo(0, *handle, 1000, 500).value(), 500u);
    bytes.replace(1000, 500, bytes.substr(0, 500));
    EXPECT_EQ(ReadAll(*handle, 0, size), bytes);
  }
}

TEST_F(LiveCopyTest, ACopyFromBehindTheEndCopiesNothing) {
  WriteFile(root_, "a", "abc");
  auto target = CreateFile("b");
  EXPECT_EQ(OpenFile("a", {})->CopyTo(3, *target, 0, 10).value(), 0u);
  EXPECT_EQ(SizeOf("b"), 0u);
}

TEST_F(LiveCopyTest, ABlobInPassthroughIsCopiedAndNotShared) {
  const std::string bytes = Pattern(8 * kInlineLimit, 7);
  WriteFile(root_, "a", bytes);
  OpenOptions options;
  options.write = true;
  options.passthrough_possible = true;
  auto source = OpenFile("a", options);
  ASSERT_EQ(source->mode(), AccessMode::kPassthrough);
  auto target = CreateFile("b");
  EXPECT_EQ(source->CopyTo(0, *target, 0, bytes.size()).value(), bytes.size());
  EXPECT_EQ(::pwrite(source->backing_fd(), "kernel", 6, 0), 6);
  EXPECT_EQ(ReadAll(*target, 0, bytes.size()), bytes);
}

// Unlinks a name from another thread as soon as it is told that the name changed.
class Remover final : public ChangeSink {
 public:
  explicit Remover(std::function<void()> remove) : remove_(std::move(remove)) {}
  void OnChanges(const std::vector<Change>&) override {
    if (!done_.exchange(true)) std::thread(remove_).join();
  }
  void Fence(std::function<void()> done) override { done(); }

 private:
  std::function<void()> remove_;
  std::atomic<bool> done_{false};
};

TEST_F(LiveCopyTest, AFileUnlinkedBeforeItsMakerHoldsItIsAnOrphanLikeAnyOther) {
  const std::string bytes = Pattern(8 * kInlineLimit, 9);
  ASSERT_TRUE(PutObject("a", bytes).ok());
  Remover remover([this] { EXPECT_TRUE(files().Unlink(caller_, root_, "b").ok()); });
  const OriginId origin = engine_->AddSink(&remover);
  auto target = CreateFile("b");
  engine_->RemoveSink(origin);
  ASSERT_TRUE(files().Lookup(root_, "b").Is(ErrorCode::kNotFound));
  EXPECT_EQ(OpenFile("a", {})->CopyTo(0, *target, 0, bytes.size()).value(), bytes.size());
  EXPECT_EQ(ReadAll(*target, 0, bytes.size()), bytes);
  ASSERT_TRUE(target->Flush().ok());
  target.reset();
  ASSERT_TRUE(engine_->admin().CollectGarbage({}).ok());
  EXPECT_EQ(GetObject("a").value(), bytes);
  ExpectConsistent();
}

}  // namespace
}  // namespace amphora::fs
