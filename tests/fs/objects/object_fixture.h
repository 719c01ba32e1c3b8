// The engine fixture with short names for the object face's options.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/engine_fixture.h"

namespace amphora::test {

inline constexpr std::string_view kMd5OfNothing = "d41d8cd98f00b204e9800998ecf8427e";

class ObjectTest : public EngineTest {
 protected:
  Result<fs::PutOutcome> Put(std::string_view key, std::string_view content,
                             const fs::PutOptions& options = {},
                             std::vector<fs::DigestKind> digests = {}) {
    fs::BeginPutRequest request;
    request.bucket = bucket_;
    request.key = key;
    request.digests = std::move(digests);
    AMPHORA_ASSIGN(auto writer, objects().BeginPut(request));
    AMPHORA_TRY(writer->Append(Bytes(content)));
    return writer->Commit(options);
  }

  Result<fs::ObjectInfo> Head(std::string_view key) { return objects().Head(bucket_, key); }

  // Whether the key was there.
  bool Delete(std::string_view key) {
    const auto outcome = objects().Delete(caller_, bucket_, key);
    EXPECT_TRUE(outcome.ok()) << key;
    return outcome.ok() && outcome->existed;
  }

  fs::ListPage List(std::string_view prefix, std::string_view delimiter,
                    std::string_view start_after = "", std::size_t limit = 1000) {
    fs::ListRequest request;
    request.bucket = bucket_;
    request.prefix = prefix;
    request.delimiter = delimiter;
    request.start_after = start_after;
    request.limit = limit;
    auto page = objects().List(request);
    EXPECT_TRUE(page.ok());
    return page.ok() ? std::move(*page) : fs::ListPage();
  }

  // Walks plain names below the bucket: Find("a/b").
  Result<fs::Attributes> Find(std::string_view path) {
    return files().ResolvePath("s3v/bucket/" + std::string(path));
  }
  bool Exists(std::string_view path) { return Find(path).ok(); }

  fs::BucketInfo Usage() {
    const auto info = engine_->buckets().GetBucket("s3v", "bucket");
    EXPECT_TRUE(info.ok());
    return info.ok() ? *info : fs::BucketInfo();
  }

  std::shared_ptr<fs::FileHandle> Open(fs::InodeId inode, bool write) {
    fs::OpenOptions options;
    options.write = write;
    auto opened = files().Open(caller_, inode, options);
    EXPECT_TRUE(opened.ok());
    return opened.ok() ? opened->handle : nullptr;
  }

  static std::string ReadAll(fs::FileHandle& handle, std::size_t most = 1 << 20) {
    std::string content(most, '\0');
    const auto count = handle.Read(0, std::as_writable_bytes(std::span(content)));
    EXPECT_TRUE(count.ok());
    content.resize(count.value_or(0));
    return content;
  }
};

}  // namespace amphora::test
