// A real engine on a scratch directory, with a bucket, and short names for what tests do all the
// time.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "fs/engine.h"
#include "tests/support/scratch.h"

namespace amphora::test {

class EngineTest : public ::testing::Test {
 protected:
  void SetUp() override {
    Reopen();
    const auto bucket = engine_->buckets().CreateBucket(caller_, "tester", "s3v", "bucket");
    ASSERT_TRUE(bucket.ok()) << bucket.error().ToString();
    bucket_ = bucket->info.id;
    root_ = fs::InodeId(bucket_.value());
  }

  void TearDown() override {
    ExpectConsistent();
    engine_.reset();
  }

  // Closes the store cleanly and opens it again.
  void Reopen() {
    engine_.reset();
    options_.data_directory = scratch_.path() + "/data";
    auto engine = fs::Engine::Open(options_);
    ASSERT_TRUE(engine.ok()) << engine.error().ToString();
    engine_ = std::move(*engine);
  }

  void ExpectConsistent() {
    const auto report = engine_->admin().Check({});
    ASSERT_TRUE(report.ok()) << report.error().ToString();
    for (const fs::Finding& finding : report->findings) {
      ADD_FAILURE() << finding.kind << ": " << finding.what;
    }
  }

  fs::Files& files() { return engine_->files(); }
  fs::Objects& objects() { return engine_->objects(); }

  static std::span<const std::byte> Bytes(std::string_view text) {
    return std::as_bytes(std::span(text.data(), text.size()));
  }

  fs::InodeId Mkdir(fs::InodeId parent, std::string_view name) {
    fs::NewNode node;
    node.kind = fs::FileKind::kDirectory;
    node.permissions = 0755;
    const auto made = files().MakeNode(caller_, parent, name, node);
    EXPECT_TRUE(made.ok()) << name;
    return made.ok() ? made->inode : fs::InodeId();
  }

  // Creates or truncates, writes, closes.
  fs::InodeId WriteFile(fs::InodeId parent, std::string_view name, std::string_view content) {
    fs::OpenOptions options;
    options.write = true;
    options.truncate = true;
    auto opened = files().Create(caller_, parent, name, 0644, options, nullptr);
    EXPECT_TRUE(opened.ok()) << name;
    if (!opened.ok()) return fs::InodeId();
    EXPECT_TRUE(opened->handle->Write(0, Bytes(content)).ok());
    EXPECT_TRUE(opened->handle->Flush().ok());
    opened->handle->Release();
    return opened->attributes.inode;
  }

  Result<std::string> ReadFile(fs::InodeId parent, std::string_view name) {
    AMPHORA_ASSIGN(const fs::Attributes found, files().Lookup(parent, name));
    AMPHORA_ASSIGN(auto opened, files().Open(caller_, found.inode, {}));
    std::string content(opened.attributes.size, '\0');
    AMPHORA_ASSIGN(const std::size_t count,
                   opened.handle->Read(0, std::as_writable_bytes(std::span(content))));
    content.resize(count);
    return content;
  }

  Status PutObject(std::string_view key, std::string_view content) {
    fs::BeginPutRequest request;
    request.bucket = bucket_;
    request.key = key;
    AMPHORA_ASSIGN(auto writer, objects().BeginPut(request));
    AMPHORA_TRY(writer->Append(Bytes(content)));
    const auto outcome = writer->Commit({});
    return outcome.ok() ? Ok() : Status(outcome.error());
  }

  Result<std::string> GetObject(std::string_view key) {
    AMPHORA_ASSIGN(auto reader, objects().Open(bucket_, key));
    std::string content(reader->info().size, '\0');
    AMPHORA_ASSIGN(const std::size_t count,
                   reader->Read(0, std::as_writable_bytes(std::span(content))));
    content.resize(count);
    return content;
  }

  std::vector<std::string> Names(fs::InodeId directory) {
    std::vector<std::string> names;
    fs::ReadDirectoryRequest request;
    request.directory = directory;
    request.limit = 3;  // small, so that going on is always tried
    for (;;) {
      const auto entries = files().ReadDirectory(request);
      EXPECT_TRUE(entries.ok());
      if (!entries.ok() || entries->empty()) break;
      for (const auto& entry : *entries) names.push_back(entry.name);
      request.after = entries->back().position;
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  std::vector<std::string> Keys() {
    fs::ListRequest request;
    request.bucket = bucket_;
    const auto page = objects().List(request);
    EXPECT_TRUE(page.ok());
    std::vector<std::string> keys;
    if (!page.ok()) return keys;
    for (const auto& object : page->objects) keys.push_back(object.key);
    return keys;
  }

  Status RenameName(fs::InodeId from, std::string_view from_name, fs::InodeId to,
                    std::string_view to_name, fs::RenameMode mode = fs::RenameMode::kReplace) {
    fs::RenameRequest request;
    request.from_parent = from;
    request.from_name = from_name;
    request.to_parent = to;
    request.to_name = to_name;
    request.mode = mode;
    const auto renamed = files().Rename(caller_, request);
    return renamed.ok() ? Ok() : Status(renamed.error());
  }

  ScratchDirectory scratch_;
  fs::EngineOptions options_;  // of the next Reopen; the directory is ours
  std::unique_ptr<fs::Engine> engine_;
  fs::Caller caller_;
  fs::BucketId bucket_;
  fs::InodeId root_;
};

}  // namespace amphora::test
