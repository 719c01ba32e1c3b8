// The object fixture with short names for multipart uploads and copies.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fs/data/digests.h"
#include "meta/base/encoding.h"
#include "meta/base/failpoint.h"
#include "tests/fs/objects/object_fixture.h"

namespace amphora::test {

inline constexpr std::size_t kPartBytes = 5 << 20;

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

inline fs::Digests DigestsOf(std::string_view bytes) {
  using enum fs::DigestKind;
  fs::DigestSet set({{kMd5, kSha256, kSha1, kCrc32, kCrc32c, kCrc64Nvme}});
  set.Update(std::as_bytes(std::span(bytes)));
  return set.Finish();
}
inline std::string Md5Of(std::string_view bytes) { return DigestsOf(bytes)[fs::DigestKind::kMd5]; }

class UploadTest : public ObjectTest {
 protected:
  void TearDown() override {
    DisarmAllFailpoints();
    ObjectTest::TearDown();
  }

  fs::Uploads& uploads() { return engine_->uploads(); }

  fs::UploadName Begin(std::string_view key, fs::CreateUploadRequest request = {}) {
    request.bucket = bucket_;
    request.key = key;
    request.caller = caller_;
    const auto created = uploads().Create(request);
    EXPECT_TRUE(created.ok());
    return {bucket_, std::string(key), created.ok() ? created->info.id : ""};
  }

  Result<std::unique_ptr<fs::PartWriter>> BeginPart(const fs::UploadName& upload,
                                                    std::uint32_t number,
                                                    std::optional<std::uint64_t> declared) {
    return uploads().BeginPart(
        {.upload = upload, .number = number, .declared_size = declared, .digests = {}});
  }

  Result<fs::CompletedPart> Part(const fs::UploadName& upload, std::uint32_t number,
                                 std::string_view bytes) {
    AMPHORA_ASSIGN(auto writer, BeginPart(upload, number, bytes.size()));
    AMPHORA_TRY(writer->Append(Bytes(bytes)));
    AMPHORA_ASSIGN(const auto outcome, writer->Commit({}));
    return fs::CompletedPart{number, outcome.part.etag, std::nullopt};
  }

  // Uploads the parts in the given order and answers them by number.
  std::vector<fs::CompletedPart> Parts(const fs::UploadName& upload,
                                       const std::vector<std::string>& bytes) {
    std::vector<fs::CompletedPart> parts;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      auto part = Part(upload, static_cast<std::uint32_t>(i + 1), bytes[i]);
      EXPECT_TRUE(part.ok()) << (part.ok() ? "" : part.error().ToString());
      if (part.ok()) parts.push_back(std::move(*part));
    }
    return parts;
  }

  Result<fs::CompleteOutcome> Complete(const fs::UploadName& upload,
                                       std::vector<fs::CompletedPart> parts) {
    fs::CompleteRequest request;
    request.upload = upload;
    request.parts = std::move(parts);
    request.caller = caller_;
    return uploads().Complete(request);
  }

  // One upload from begin to end.
  std::string PutParts(std::string_view key, const std::vector<std::string>& bytes) {
    const auto upload = Begin(key);
    const auto done = Complete(upload, Parts(upload, bytes));
    EXPECT_TRUE(done.ok()) << (done.ok() ? "" : done.error().ToString());
    return done.ok() ? done->info.etag : "";
  }

  fs::CopyRequest CopyOf(std::string_view from, std::string_view to) {
    fs::CopyRequest request;
    request.source_bucket = request.bucket = bucket_;
    request.source_key = from;
    request.key = to;
    request.caller = caller_;
    return request;
  }
  Result<fs::CopyOutcome> Copy(std::string_view from, std::string_view to) {
    return objects().Copy(CopyOf(from, to));
  }

  static std::string Join(const std::vector<std::string>& parts) {
    std::string whole;
    for (const std::string& part : parts) whole += part;
    return whole;
  }

  // Rows of the dump that begin with `kind`.
  std::vector<std::string> Rows(std::string_view kind) {
    std::vector<std::string> rows;
    const Status dumped = engine_->admin().Dump([&](std::string_view line) {
      if (line.starts_with(std::string(kind) + " ")) rows.emplace_back(line);
      return true;
    });
    EXPECT_TRUE(dumped.ok());
    return rows;
  }
  bool HasExtents() { return !Rows("extent").empty(); }

  // Blob files that hold bytes, once the collector has been round.
  std::size_t BlobFiles() {
    EXPECT_TRUE(engine_->admin().CollectGarbage({}).ok());
    std::size_t count = 0;
    const std::string blobs = scratch_.path() + "/data/blobs";
    for (const auto& entry : std::filesystem::recursive_directory_iterator(blobs)) {
      if (entry.is_regular_file() && entry.file_size() > 0) ++count;
    }
    return count;
  }
};

}  // namespace amphora::test
