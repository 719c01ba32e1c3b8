// EngineTest with short names for open files: what the tests of live inodes do all the time.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "meta/base/failpoint.h"
#include "tests/support/engine_fixture.h"

namespace amphora::test {

inline constexpr std::size_t kInlineLimit = 16 << 10;  // EngineOptions' default

// `size` bytes that differ by place and by `seed`.
inline std::string Pattern(std::size_t size, unsigned seed) {
  std::string bytes(size, '\0');
  std::uint32_t state = seed * 2654435761u + 1;
  for (char& byte : bytes) {
    state = state * 1664525u + 1013904223u;
    byte = static_cast<char>(state >> 24);
  }
  return bytes;
}

inline std::string ReadAll(fs::FileHandle& handle, std::uint64_t offset, std::size_t length) {
  std::string bytes(length, '\0');
  const auto count = handle.Read(offset, std::as_writable_bytes(std::span(bytes)));
  EXPECT_TRUE(count.ok());
  bytes.resize(count.ok() ? *count : 0);
  return bytes;
}

class FileTest : public EngineTest {
 protected:
  void TearDown() override {
    DisarmAllFailpoints();
    EngineTest::TearDown();
  }

  std::shared_ptr<fs::FileHandle> OpenFile(std::string_view name, fs::OpenOptions options) {
    const auto found = files().Lookup(root_, name);
    EXPECT_TRUE(found.ok()) << name;
    if (!found.ok()) return nullptr;
    auto opened = files().Open(caller_, found->inode, options);
    EXPECT_TRUE(opened.ok()) << name << ": " << (opened.ok() ? "" : opened.error().ToString());
    return opened.ok() ? opened->handle : nullptr;
  }
  static fs::OpenOptions Passthrough(bool write) {
    fs::OpenOptions options;
    options.write = write;
    options.passthrough_possible = true;
    return options;
  }
  std::shared_ptr<fs::FileHandle> OpenForWrite(std::string_view name) {
    fs::OpenOptions options;
    options.write = true;
    return OpenFile(name, options);
  }
  std::shared_ptr<fs::FileHandle> CreateFile(std::string_view name) {
    fs::OpenOptions options;
    options.write = true;
    auto opened = files().Create(caller_, root_, name, 0644, options, nullptr);
    EXPECT_TRUE(opened.ok()) << name;
    return opened.ok() ? opened->handle : nullptr;
  }
  std::uint64_t SizeOf(std::string_view name) {
    const auto found = files().Lookup(root_, name);
    EXPECT_TRUE(found.ok()) << name;
    return found.ok() ? found->size : 0;
  }
  std::string EtagOf(std::string_view key) {
    const auto info = objects().Head(bucket_, key);
    EXPECT_TRUE(info.ok()) << key;
    return info.ok() ? info->etag : "";
  }
  // Blob files in the data directory that hold bytes; prepared ones are empty.
  std::size_t BlobFiles() const { return CountBlobFiles(scratch_.path() + "/data/blobs"); }

 public:
  static std::size_t CountBlobFiles(const std::string& directory) {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
      if (entry.is_regular_file() && entry.file_size() > 0) ++count;
    }
    return count;
  }
};

}  // namespace amphora::test
