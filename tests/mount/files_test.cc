// The bytes of files through the kernel: reading, writing, sizes, holes, mappings, copies.
#include <linux/falloc.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "tests/mount/fixture.h"

namespace amphora::mount {
namespace {

constexpr std::size_t kLarge = 5 << 20;  // one blob, whatever the inline limit

class FilesTest : public ModeTest {
 protected:
  // A file that is in one blob and closed: the next open of it may pass through.
  void MakeLarge(const std::string& name, const std::string& content) {
    ASSERT_TRUE(WriteFile(Path(name), content));
    const Fd file(open(Path(name).c_str(), O_WRONLY));
    ASSERT_EQ(fsync(file.get()), 0);
  }
  // How many rows name each blob, sorted.
  std::vector<std::string> BlobReferences() {
    std::vector<std::string> counts;
    const Status dumped = engine_->admin().Dump([&](std::string_view line) {
      constexpr std::string_view kField = "references=";
      const std::size_t at = line.find(kField);
      if (line.starts_with("blob ") && at != std::string_view::npos) {
        const std::string_view rest = line.substr(at + kField.size());
        counts.emplace_back(rest.substr(0, rest.find(' ')));
      }
      return true;
    });
    EXPECT_TRUE(dumped.ok());
    std::ranges::sort(counts);
    return counts;
  }
};
INSTANTIATE_TEST_SUITE_P(Modes, FilesTest, ::testing::ValuesIn(kAllModes), ModeName);

TEST_P(FilesTest, SizesAroundEveryBoundaryReadBack) {
  for (const std::size_t size : {0u, 1u, 4095u, 4096u, 4097u, 16384u, 16385u, 65536u, 65537u,
                                 262144u, 1048576u, 1048577u, 3000000u}) {
    const std::string content = Pattern(size, static_cast<unsigned>(size));
    const std::string path = Path("f" + std::to_string(size));
    ASSERT_TRUE(WriteFile(path, content)) << size << ": " << strerror(errno);
    EXPECT_EQ(static_cast<std::size_t>(StatOf(path).st_size), size);
    EXPECT_TRUE(ReadFile(path) == content) << size;
    EXPECT_TRUE(Get("f" + std::to_string(size)) == content) << size;
  }
}

TEST_P(FilesTest, OverwriteInPlace) {
  std::string content = Pattern(kLarge);
  MakeLarge("f", content);
  {
    const Fd file(open(Path("f").c_str(), O_RDWR));
    for (const std::size_t at : {0u, 1u, 4095u, 65536u, 5242000u}) {
      ASSERT_EQ(pwrite(file.get(), "<patch>", 7, static_cast<off_t>(at)), 7) << strerror(errno);
      content.replace(at, 7, "<patch>");
    }
    std::string seen(content.size(), '\0');
    ASSERT_EQ(pread(file.get(), seen.data(), seen.size(), 0), static_cast<ssize_t>(seen.size()));
    EXPECT_TRUE(seen == content);
  }
  EXPECT_TRUE(ReadFile(Path("f")) == content);
  EXPECT_TRUE(Get("f") == content);
}

TEST_P(FilesTest, AppendGoesToTheEnd) {
  for (const std::size_t start : {3ul, 20000ul, static_cast<unsigned long>(kLarge)}) {
    const std::string name = "a" + std::to_string(start);
    MakeLarge(name, Pattern(start));
    {
      const Fd one(open(Path(name).c_str(), O_WRONLY | O_APPEND));
      const Fd two(open(Path(name).c_str(), O_WRONLY | O_APPEND));
      ASSERT_EQ(write(one.get(), "one", 3), 3);
      ASSERT_EQ(write(two.get(), "two", 3), 3);
      ASSERT_EQ(write(one.get(), "end", 3), 3);
    }
    EXPECT_TRUE(ReadFile(Path(name)) == Pattern(start) + "onetwoend") << start;
  }
}

TEST_P(FilesTest, TruncateBothWaysAndOnOpen) {
  MakeLarge("f", Pattern(kLarge));
  ASSERT_EQ(truncate(Path("f").c_str(), 100), 0);
  EXPECT_TRUE(ReadFile(Path("f")) == Pattern(kLarge).substr(0, 100));
  ASSERT_EQ(truncate(Path("f").c_str(), 70000), 0);
  EXPECT_TRUE(ReadFile(Path("f")) == Pattern(kLarge).substr(0, 100) + std::string(69900, '\0'));
  {
    const Fd file(open(Path("f").c_str(), O_RDWR));
    ASSERT_EQ(ftruncate(file.get(), 10), 0);
    struct stat attributes;
    ASSERT_EQ(fstat(file.get(), &attributes), 0);
    EXPECT_EQ(attributes.st_size, 10);
  }
  EXPECT_EQ(StatOf(Path("f")).st_size, 10);
  const Fd file(open(Path("f").c_str(), O_WRONLY | O_TRUNC));
  EXPECT_EQ(StatOf(Path("f")).st_size, 0);
  EXPECT_EQ(truncate(Path("f").c_str(), -1), -1);
  EXPECT_EQ(errno, EINVAL);
}

TEST_P(FilesTest, SparseFileHasHoles) {
  {
    const Fd file(open(Path("sparse").c_str(), O_RDWR | O_CREAT, 0644));
    ASSERT_EQ(pwrite(file.get(), "head", 4, 0), 4);
    ASSERT_EQ(pwrite(file.get(), "tail", 4, 64 << 20), 4);
    ASSERT_EQ(fsync(file.get()), 0);
    EXPECT_EQ(lseek(file.get(), 0, SEEK_DATA), 0);
    const off_t hole = lseek(file.get(), 0, SEEK_HOLE);
    EXPECT_GT(hole, 0);
    EXPECT_LT(hole, 64 << 20);
    EXPECT_GT(lseek(file.get(), hole, SEEK_DATA), hole);
    EXPECT_EQ(lseek(file.get(), 0, SEEK_END), (64 << 20) + 4);
    EXPECT_EQ(lseek(file.get(), (64 << 20) + 4, SEEK_DATA), -1);
    EXPECT_EQ(errno, ENXIO);
  }
  const struct stat attributes = StatOf(Path("sparse"));
  EXPECT_EQ(attributes.st_size, (64 << 20) + 4);
  EXPECT_LT(attributes.st_blocks * 512, 1 << 20);
  const std::string content = ReadFile(Path("sparse"));
  EXPECT_EQ(content.substr(0, 8), std::string("head\0\0\0\0", 8));
  EXPECT_EQ(content.substr(content.size() - 4), "tail");
}

TEST_P(FilesTest, Allocation) {
  const std::string content = Pattern(kLarge);
  MakeLarge("f", content);
  const Fd file(open(Path("f").c_str(), O_RDWR));
  struct stat attributes;
  ASSERT_EQ(fallocate(file.get(), 0, 0, kLarge + 1000), 0) << strerror(errno);
  ASSERT_EQ(fstat(file.get(), &attributes), 0);
  EXPECT_EQ(attributes.st_size, static_cast<off_t>(kLarge + 1000));
  ASSERT_EQ(fallocate(file.get(), FALLOC_FL_KEEP_SIZE, kLarge, 1 << 20), 0);
  ASSERT_EQ(fstat(file.get(), &attributes), 0);
  EXPECT_EQ(attributes.st_size, static_cast<off_t>(kLarge + 1000));
  ASSERT_EQ(fallocate(file.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 8192, 65536), 0);
  ASSERT_EQ(fallocate(file.get(), FALLOC_FL_ZERO_RANGE, 100, 50), 0);
  EXPECT_EQ(fallocate(file.get(), FALLOC_FL_COLLAPSE_RANGE, 0, 4096), -1);
  EXPECT_EQ(errno, EOPNOTSUPP);
  std::string wanted = content + std::string(1000, '\0');
  wanted.replace(8192, 65536, std::string(65536, '\0'));
  wanted.replace(100, 50, std::string(50, '\0'));
  EXPECT_TRUE(ReadFile(Path("f")) == wanted);
}

TEST_P(FilesTest, AllocationOfASmallFile) {
  const Fd file(open(Path("s").c_str(), O_RDWR | O_CREAT, 0644));
  ASSERT_EQ(write(file.get(), "0123456789", 10), 10);
  ASSERT_EQ(fallocate(file.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 2, 3), 0);
  ASSERT_EQ(fallocate(file.get(), 0, 0, 20), 0);
  char seen[21] = {};
  ASSERT_EQ(pread(file.get(), seen, 21, 0), 20);
  EXPECT_EQ(std::string(seen, 20), std::string("01\0\0\0"
                                               "56789\0\0\0\0\0\0\0\0\0\0",
                                               20));
}

TEST_P(FilesTest, CopyFileRange) {
  const std::string content = Pattern(kLarge);
  MakeLarge("source", content);
  const Fd source(open(Path("source").c_str(), O_RDONLY));
  const Fd target(open(Path("target").c_str(), O_RDWR | O_CREAT, 0644));
  std::size_t copied = 0;
  while (copied < kLarge) {
    const ssize_t step = copy_file_range(source.get(), nullptr, target.get(), nullptr, kLarge, 0);
    ASSERT_GT(step, 0) << strerror(errno);
    copied += static_cast<std::size_t>(step);
  }
  EXPECT_TRUE(ReadFile(Path("target")) == content);
  ASSERT_EQ(pwrite(target.get(), "mine", 4, 1000), 4);
  EXPECT_TRUE(ReadFile(Path("source")) == content) << "a copy is independent";
  off_t from = 10, to = 5;
  ASSERT_EQ(copy_file_range(source.get(), &from, target.get(), &to, 7, 0), 7);
  EXPECT_EQ(ReadFile(Path("target")).substr(5, 7), content.substr(10, 7));
}

// Decision 13: a file that is read in passthrough may share its blob with a copy; the first writer
// parts them, and who reads or maps the file sees what is written.
TEST_P(FilesTest, ACopySharesAndAWriterPartsThem) {
  const std::string content = Pattern(kLarge);
  Put("source", content);
  Fd reader(open(Path("source").c_str(), O_RDONLY));
  void* memory = mmap(nullptr, kLarge, PROT_READ, MAP_SHARED, reader.get(), 0);
  ASSERT_NE(memory, MAP_FAILED) << strerror(errno);
  const char* mapped = static_cast<const char*>(memory);
  EXPECT_EQ(memcmp(mapped, content.data(), kLarge), 0);
  {
    const Fd target(open(Path("target").c_str(), O_WRONLY | O_CREAT, 0644));
    ASSERT_EQ(copy_file_range(reader.get(), nullptr, target.get(), nullptr, kLarge, 0),
              static_cast<ssize_t>(kLarge));
  }
  EXPECT_EQ(BlobReferences(), std::vector<std::string>{"2"}) << "one blob for both";
  EXPECT_TRUE(ReadFile(Path("target")) == content) << "beside a reader of the other";
  std::string seen(6, '\0');
  {
    const Fd writer(open(Path("source").c_str(), O_RDWR));
    ASSERT_TRUE(writer.ok()) << strerror(errno);
    ASSERT_EQ(pwrite(writer.get(), "writer", 6, 0), 6);
    ASSERT_EQ(pread(reader.get(), seen.data(), 6, 0), 6);
    EXPECT_EQ(seen, "writer");
    EXPECT_EQ(memcmp(mapped, "writer", 6), 0);
    EXPECT_TRUE(ReadFile(Path("target")) == content);
  }
  EXPECT_EQ(BlobReferences(), (std::vector<std::string>{"1", "1"}));
  // Only the mapping is left: a new writer still writes what it shows.
  {
    const Fd target(open(Path("again").c_str(), O_WRONLY | O_CREAT, 0644));
    off_t from = 0;
    ASSERT_GT(copy_file_range(reader.get(), &from, target.get(), nullptr, kLarge, 0), 0);
  }
  reader.Close();
  {
    const Fd writer(open(Path("source").c_str(), O_WRONLY));
    ASSERT_EQ(pwrite(writer.get(), "second", 6, 0), 6);
    EXPECT_EQ(memcmp(mapped, "second", 6), 0);
  }
  ASSERT_EQ(truncate(Path("source").c_str(), 4096), 0);
  EXPECT_EQ(memcmp(mapped, "second", 6), 0);
  ASSERT_EQ(munmap(memory, kLarge), 0);
  EXPECT_TRUE(Get("target") == content);
  EXPECT_EQ(ReadFile(Path("again")).substr(0, 6), "writer");
  EXPECT_EQ(Get("source"), "second" + content.substr(6, 4090));
}

TEST_P(FilesTest, ASharedFileIsReadByTheKernelItself) {
  Put("source", Pattern(kLarge));
  {
    const Fd source(open(Path("source").c_str(), O_RDONLY));
    const Fd target(open(Path("target").c_str(), O_WRONLY | O_CREAT, 0644));
    ASSERT_GT(copy_file_range(source.get(), nullptr, target.get(), nullptr, kLarge, 0), 0);
  }
  if (!GetParam().passthrough) return;
  for (const char* name : {"source", "target", "source"}) {
    RequestsOnceClosed();
    const Fd file(open(Path(name).c_str(), O_RDONLY));
    const std::uint64_t before = Requests();
    std::string seen(kLarge, '\0');
    ASSERT_EQ(pread(file.get(), seen.data(), kLarge, 0), static_cast<ssize_t>(kLarge));
    EXPECT_EQ(Requests(), before) << name;
    EXPECT_TRUE(seen == Pattern(kLarge));
  }
}

TEST_P(FilesTest, SharedMappingWritesTheFile) {
  for (const std::size_t size : {std::size_t{8192}, kLarge}) {
    const std::string name = "m" + std::to_string(size);
    std::string content = Pattern(size);
    MakeLarge(name, content);
    {
      Fd file(open(Path(name).c_str(), O_RDWR));
      void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
      ASSERT_NE(memory, MAP_FAILED) << strerror(errno);
      EXPECT_EQ(memcmp(memory, content.data(), size), 0);
      memcpy(static_cast<char*>(memory) + 5000, "mapped", 6);
      ASSERT_EQ(file.Close(), 0);
      memcpy(static_cast<char*>(memory) + 6000, "closed", 6);
      ASSERT_EQ(msync(memory, size, MS_SYNC), 0);
      ASSERT_EQ(munmap(memory, size), 0);
    }
    content.replace(5000, 6, "mapped").replace(6000, 6, "closed");
    EXPECT_TRUE(ReadFile(Path(name)) == content) << size;
    EXPECT_TRUE(Get(name) == content) << size;
  }
}

TEST_P(FilesTest, PrivateMappingRunsAProgram) {
  const std::string program = ReadFile("/bin/true");
  ASSERT_GT(program.size(), 1000u);
  ASSERT_TRUE(WriteFile(Path("true"), program, O_TRUNC, 0755));
  EXPECT_EQ(system(Path("true").c_str()), 0);
}

TEST_P(FilesTest, DirectIo) {
  MakeLarge("f", Pattern(kLarge));
  const Fd file(open(Path("f").c_str(), O_RDWR | O_DIRECT));
  ASSERT_TRUE(file.ok()) << strerror(errno);
  alignas(4096) static char buffer[65536];
  ASSERT_EQ(pread(file.get(), buffer, sizeof buffer, 4096), static_cast<ssize_t>(sizeof buffer));
  EXPECT_TRUE(std::string(buffer, sizeof buffer) == Pattern(kLarge).substr(4096, sizeof buffer));
  memset(buffer, 'D', sizeof buffer);
  ASSERT_EQ(pwrite(file.get(), buffer, sizeof buffer, 65536), static_cast<ssize_t>(sizeof buffer));
  EXPECT_EQ(ReadFile(Path("f")).substr(65536, sizeof buffer), std::string(sizeof buffer, 'D'));
}

TEST_P(FilesTest, PassthroughTransfersSendNoRequest) {
  AMPHORA_ROOT_ONLY("can't become another user");
  MakeLarge("f", Pattern(kLarge));
  AsUser(0, 0, [&] { ASSERT_EQ(chmod(Path("f").c_str(), 0666), 0); });
  AsUser(1000, 1000, [&] {
    const Fd file(open(Path("f").c_str(), O_RDWR));
    ASSERT_TRUE(file.ok());
    std::string block(4096, 'w');
    ASSERT_EQ(pwrite(file.get(), block.data(), block.size(), 0), 4096);
    const std::uint64_t before = RequestsOnceClosed(1);
    for (int i = 0; i < 100; ++i) {
      ASSERT_EQ(pwrite(file.get(), block.data(), block.size(), i * 4096), 4096);
      ASSERT_EQ(pread(file.get(), block.data(), block.size(), i * 4096), 4096);
    }
    const std::uint64_t sent = Requests() - before;
    if (GetParam().passthrough) {
      EXPECT_EQ(sent, 0u);
    } else {
      EXPECT_GE(sent, 100u) << "without passthrough each write is a request";
    }
  });
}

TEST_P(FilesTest, SizeGrownByAnOpenWriterIsSeenByStatAndS3) {
  MakeLarge("f", Pattern(kLarge));
  const Fd file(open(Path("f").c_str(), O_RDWR));
  ASSERT_EQ(pwrite(file.get(), "grown", 5, kLarge), 5);
  EXPECT_EQ(StatOf(Path("f")).st_size, static_cast<off_t>(kLarge + 5));
  const auto head = Head("f");
  ASSERT_TRUE(head.ok());
  EXPECT_EQ(head->size, kLarge + 5);
}

TEST_P(FilesTest, RereadingASmallFileSendsNoRead) {
  ASSERT_TRUE(WriteFile(Path("small"), Pattern(5000)));
  EXPECT_EQ(ReadFile(Path("small")).size(), 5000u);
  const std::uint64_t before = RequestsOnceClosed();
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(ReadFile(Path("small")) == Pattern(5000));
  // OPEN and RELEASE of each; no FLUSH of a read-only handle, no READ.
  EXPECT_LE(Requests() - before, 20u);
}

TEST_P(FilesTest, WriteByAnotherClearsSetuid) {
  AMPHORA_ROOT_ONLY("can't become another user");
  for (const std::size_t size : {std::size_t{100}, kLarge}) {
    const std::string name = "suid" + std::to_string(size);
    MakeLarge(name, Pattern(size));
    ASSERT_EQ(chmod(Path(name).c_str(), 06777), 0);
    ASSERT_EQ(StatOf(Path(name)).st_mode & 07777u, 06777u);
    AsUser(1000, 1000, [&] {
      const Fd file(open(Path(name).c_str(), O_WRONLY));
      ASSERT_EQ(write(file.get(), "x", 1), 1) << strerror(errno);
    });
    EXPECT_EQ(StatOf(Path(name)).st_mode & 07777u, 0777u) << size;
  }
}

TEST_P(FilesTest, ReadOnlyAndWriteOnlyHandles) {
  MakeLarge("f", Pattern(kLarge));
  char byte;
  const Fd reader(open(Path("f").c_str(), O_RDONLY));
  EXPECT_EQ(write(reader.get(), "x", 1), -1);
  EXPECT_EQ(errno, EBADF);
  const Fd writer(open(Path("f").c_str(), O_WRONLY));
  EXPECT_EQ(read(writer.get(), &byte, 1), -1);
  EXPECT_EQ(errno, EBADF);
}

TEST_P(FilesTest, SynchronousWrites) {
  const Fd file(open(Path("sync").c_str(), O_RDWR | O_CREAT | O_SYNC, 0644));
  for (int i = 0; i < 5; ++i) ASSERT_EQ(write(file.get(), "0123456789", 10), 10);
  EXPECT_EQ(fdatasync(file.get()), 0);
  EXPECT_EQ(StatOf(Path("sync")).st_size, 50);
  const Fd directory(open(root().c_str(), O_RDONLY | O_DIRECTORY));
  EXPECT_EQ(fsync(directory.get()), 0) << strerror(errno);
}

TEST_P(FilesTest, ReaderKeepsContentThatS3Replaced) {
  Put("f", Pattern(kLarge, 1));
  const Fd file(open(Path("f").c_str(), O_RDONLY));
  ASSERT_TRUE(file.ok());
  Put("f", Pattern(kLarge, 2));
  std::string seen(kLarge, '\0');
  std::size_t done = 0;
  while (done < kLarge) {
    const ssize_t step =
        pread(file.get(), seen.data() + done, kLarge - done, static_cast<off_t>(done));
    ASSERT_GT(step, 0);
    done += static_cast<std::size_t>(step);
  }
  EXPECT_TRUE(seen == Pattern(kLarge, 1));
  EXPECT_TRUE(ReadFile(Path("f")) == Pattern(kLarge, 2));
}

}  // namespace
}  // namespace amphora::mount
