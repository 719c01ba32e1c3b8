// A blob that readers have in passthrough may be shared; the first writer splits it
// (live_split.cc). Here the test reads and writes the backing descriptor as the kernel would.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/fs/data/file_fixture.h"

namespace amphora::fs {
namespace {

using test::kInlineLimit;
using test::Pattern;
using test::ReadAll;

class LiveSplitTest : public test::FileTest {
 protected:
  std::shared_ptr<FileHandle> OpenReader(std::string_view name) {
    auto handle = OpenFile(name, Passthrough(false));
    EXPECT_EQ(handle->mode(), AccessMode::kPassthrough) << name;
    return handle;
  }
  std::shared_ptr<FileHandle> OpenWriter(std::string_view name) {
    auto handle = OpenFile(name, Passthrough(true));
    EXPECT_EQ(handle->mode(), AccessMode::kPassthrough) << name;
    return handle;
  }
  static void WriteBehind(FileHandle& handle, std::string_view bytes) {
    ASSERT_EQ(::pwrite(handle.backing_fd(), bytes.data(), bytes.size(), 0),
              static_cast<ssize_t>(bytes.size()));
  }
  static std::string ReadBehind(int file, std::size_t length) {
    std::string bytes(length, '\0');
    EXPECT_EQ(::pread(file, bytes.data(), length, 0), static_cast<ssize_t>(length));
    return bytes;
  }
  // What the kernel keeps: the file, whatever its name becomes.
  static int KernelFile(FileHandle& handle) { return ::fcntl(handle.backing_fd(), F_DUPFD, 0); }
  static ino_t FileOf(int descriptor) {
    struct stat status {};
    EXPECT_EQ(::fstat(descriptor, &status), 0);
    return status.st_ino;
  }
  // `to` shares what `from` holds, copied through a reader in passthrough as cp does.
  void CopyFile(std::string_view from, std::string_view to) {
    auto source = OpenReader(from);
    auto target = CreateFile(to);
    ASSERT_EQ(source->CopyTo(0, *target, 0, 1 << 30).value(), bytes_.size());
    ASSERT_TRUE(target->Flush().ok());
  }
  void SetUp() override {
    FileTest::SetUp();
    ASSERT_TRUE(PutObject("a", bytes_).ok());
  }

  const std::string bytes_ = Pattern(8 * kInlineLimit, 1);
};

TEST_F(LiveSplitTest, AWriterBesideAReaderKeepsTheFileAndTheOthersGetACopy) {
  auto reader = OpenReader("a");
  CopyFile("a", "b");
  CopyFile("a", "c");
  EXPECT_EQ(BlobFiles(), 1u) << "shared although a kernel has it open";
  const std::string etag = EtagOf("b");
  const std::string old_etag = EtagOf("a");
  const int kernel = KernelFile(*reader);
  auto writer = OpenWriter("a");
  EXPECT_EQ(FileOf(writer->backing_fd()), FileOf(kernel)) << "the kernel takes no other";
  EXPECT_EQ(BlobFiles(), 2u) << "one copy for all others";
  WriteBehind(*writer, "written");
  EXPECT_EQ(ReadBehind(kernel, 7), "written");
  EXPECT_EQ(ReadBehind(reader->backing_fd(), 7), "written");
  for (const char* other : {"b", "c"}) EXPECT_EQ(GetObject(other).value(), bytes_) << other;
  EXPECT_EQ(GetObject("a").value(), "written" + bytes_.substr(7));
  EXPECT_EQ(EtagOf("b"), etag);
  EXPECT_NE(EtagOf("a"), old_etag);
  ASSERT_TRUE(writer->Sync().ok());
  ::close(kernel);
  writer.reset();
  reader.reset();
  Reopen();
  EXPECT_EQ(GetObject("a").value(), "written" + bytes_.substr(7));
  for (const char* other : {"b", "c"}) EXPECT_EQ(GetObject(other).value(), bytes_) << other;
  ExpectConsistent();
}

TEST_F(LiveSplitTest, AHandleOfAnotherFileReadsOnThroughTheDaemon) {
  CopyFile("a", "b");
  auto reader = OpenReader("a");
  auto other = OpenFile("b", Passthrough(false));
  EXPECT_EQ(other->mode(), AccessMode::kDaemon) << "one inode at a time has the file";
  EXPECT_EQ(ReadAll(*other, 0, bytes_.size()), bytes_);
  auto writer = OpenWriter("a");
  WriteBehind(*writer, "written");
  EXPECT_EQ(ReadAll(*other, 0, bytes_.size()), bytes_);
  other.reset();
  OpenReader("b");
}

TEST_F(LiveSplitTest, OneReaderAfterTheOtherIsInPassthrough) {
  CopyFile("a", "b");
  for (const char* name : {"a", "b", "a"}) OpenReader(name);
}

TEST_F(LiveSplitTest, GetsThatBeganBeforeTheWriterReadTheOldBytes) {
  CopyFile("a", "b");
  auto reader = OpenReader("a");
  auto of_a = objects().Open(bucket_, "a");
  auto of_b = objects().Open(bucket_, "b");
  ASSERT_TRUE(of_a.ok() && of_b.ok());
  EXPECT_FALSE((*of_b)->in_files()) << "pages of a file that may be written later";
  auto writer = OpenWriter("a");
  WriteBehind(*writer, std::string(bytes_.size(), 'w'));
  for (auto* get : {&*of_a, &*of_b}) {
    std::string got(bytes_.size(), '\0');
    ASSERT_TRUE((*get)->Read(0, std::as_writable_bytes(std::span(got))).ok());
    EXPECT_EQ(got, bytes_);
  }
  of_a->reset();
  of_b->reset();
  writer.reset();
  reader.reset();
  ASSERT_TRUE(engine_->admin().CollectGarbage({}).ok());
  EXPECT_EQ(BlobFiles(), 2u);
  ExpectConsistent();
}

TEST_F(LiveSplitTest, AGetOfAFileThatNobodySharesMakesTheWriterSplitToo) {
  auto reader = OpenReader("a");
  auto get = objects().Open(bucket_, "a");
  ASSERT_TRUE(get.ok());
  auto writer = OpenWriter("a");
  WriteBehind(*writer, std::string(bytes_.size(), 'w'));
  std::string got(bytes_.size(), '\0');
  ASSERT_TRUE((*get)->Read(0, std::as_writable_bytes(std::span(got))).ok());
  EXPECT_EQ(got, bytes_);
  get->reset();
  EXPECT_EQ(GetObject("a").value(), std::string(bytes_.size(), 'w'));
  writer.reset();
  reader.reset();
  ASSERT_TRUE(engine_->admin().CollectGarbage({}).ok());
  EXPECT_EQ(BlobFiles(), 1u) << "the copy was for the reader only";
  ExpectConsistent();
}

TEST_F(LiveSplitTest, ACopiedObjectSharesWhatIsReadInPassthrough) {
  auto reader = OpenReader("a");
  CopyRequest copy;
  copy.source_bucket = copy.bucket = bucket_;
  copy.source_key = "a";
  copy.key = "b";
  ASSERT_TRUE(objects().Copy(copy).ok());
  EXPECT_EQ(BlobFiles(), 1u);
  auto writer = OpenWriter("a");
  WriteBehind(*writer, "written");
  EXPECT_EQ(GetObject("b").value(), bytes_);
  // Shared no more: what is being written is cloned.
  copy.key = "c";
  ASSERT_TRUE(objects().Copy(copy).ok());
  WriteBehind(*writer, "changed");
  EXPECT_EQ(GetObject("c").value(), "written" + bytes_.substr(7));
  ExpectConsistent();
}

TEST_F(LiveSplitTest, ATruncationThroughTheDaemonSplitsToo) {
  for (const std::uint64_t size : {std::uint64_t{100}, std::uint64_t{0}}) {
    ASSERT_TRUE(PutObject("f", bytes_).ok());
    auto reader = OpenReader("f");
    CopyFile("f", "g");
    const int kernel = KernelFile(*reader);
    EXPECT_TRUE(files().ResizeMayWait(reader->inode(), size));
    AttributeChange change;
    change.size = size;
    ASSERT_TRUE(files().SetAttributes(caller_, reader->inode(), change, nullptr).ok());
    EXPECT_EQ(static_cast<std::uint64_t>(::lseek(kernel, 0, SEEK_END)), size);
    EXPECT_EQ(GetObject("g").value(), bytes_);
    EXPECT_EQ(GetObject("f").value(), bytes_.substr(0, size));
    ::close(kernel);
  }
  ExpectConsistent();
}

TEST_F(LiveSplitTest, AFileThatIsMappedAfterItsCloseStaysInPassthrough) {
  CopyFile("a", "b");
  auto reader = OpenReader("a");
  // As the kernel does for a handle: a file of its own, open for reading.
  const std::string path = "/proc/self/fd/" + std::to_string(reader->backing_fd());
  const int file = ::open(path.c_str(), O_RDONLY);
  ASSERT_GE(file, 0);
  void* mapped = ::mmap(nullptr, bytes_.size(), PROT_READ, MAP_SHARED, file, 0);
  ASSERT_NE(mapped, MAP_FAILED);
  ::close(file);
  reader.reset();
  auto writer = OpenFile("a", Passthrough(true));
  ASSERT_EQ(writer->mode(), AccessMode::kPassthrough) << "a mapping must see what is written";
  WriteBehind(*writer, "written");
  EXPECT_EQ(std::string_view(static_cast<char*>(mapped), 7), "written");
  EXPECT_EQ(GetObject("b").value(), bytes_);
  writer.reset();
  ASSERT_EQ(::munmap(mapped, bytes_.size()), 0);
  OpenOptions plain;
  EXPECT_EQ(OpenFile("a", plain)->mode(), AccessMode::kDaemon);
}

TEST_F(LiveSplitTest, TheLastOwnerOfASharedBlobWritesInPlace) {
  CopyFile("a", "b");
  auto reader = OpenReader("a");
  ASSERT_TRUE(objects().Delete(caller_, bucket_, "b").ok());
  auto writer = OpenWriter("a");
  WriteBehind(*writer, "written");
  ASSERT_TRUE(writer->Flush().ok());
  EXPECT_EQ(BlobFiles(), 1u);
  EXPECT_EQ(GetObject("a").value(), "written" + bytes_.substr(7));
  ExpectConsistent();
}

TEST_F(LiveSplitTest, AFirstWriterOfASharedBlobCopiesAtItsFirstWrite) {
  CopyFile("a", "b");
  auto writer = OpenFile("a", Passthrough(true));
  EXPECT_EQ(writer->mode(), AccessMode::kDaemon);
  EXPECT_EQ(BlobFiles(), 1u);
  ASSERT_TRUE(writer->Write(0, Bytes("written")).ok());
  EXPECT_EQ(BlobFiles(), 2u);
  EXPECT_EQ(GetObject("b").value(), bytes_);
}

// A step that fails refuses the writer and changes nothing; the next one gets on.
TEST_F(LiveSplitTest, AStepThatFailsLeavesEverythingAsItWas) {
  auto reader = OpenReader("a");
  CopyFile("a", "b");
  const int kernel = KernelFile(*reader);
  for (const char* step : {"fs.blob.clone", "fs.split.copy_sync", "fs.split.before_exchange",
                           "fs.blob.name_sync", "fs.split.before_commit"}) {
    SCOPED_TRACE(step);
    ASSERT_TRUE(ArmFailpoint(step, "fail"));
    const auto inode = files().Lookup(root_, "a")->inode;
    EXPECT_FALSE(files().Open(caller_, inode, Passthrough(true)).ok());
    DisarmAllFailpoints();
    EXPECT_EQ(BlobFiles(), 1u);
    EXPECT_EQ(FileOf(reader->backing_fd()), FileOf(kernel));
    EXPECT_EQ(GetObject("a").value(), bytes_);
    EXPECT_EQ(GetObject("b").value(), bytes_);
    ExpectConsistent();
  }
  auto writer = OpenWriter("a");
  WriteBehind(*writer, "written");
  EXPECT_EQ(ReadBehind(kernel, 7), "written");
  EXPECT_EQ(GetObject("b").value(), bytes_);
  ::close(kernel);
}

TEST_F(LiveSplitTest, WhatWasJustWrittenIsSyncedAndSharedByACopy) {
  WriteFile(root_, "new", bytes_);
  const std::size_t before = BlobFiles();
  auto source = OpenFile("new", Passthrough(false));
  auto target = CreateFile("copy");
  EXPECT_EQ(source->CopyTo(0, *target, 0, 1 << 30).value(), bytes_.size());
  EXPECT_EQ(BlobFiles(), before);
  source.reset();
  target.reset();
  Reopen();
  EXPECT_EQ(GetObject("copy").value(), bytes_);
  ExpectConsistent();
}

}  // namespace
}  // namespace amphora::fs
