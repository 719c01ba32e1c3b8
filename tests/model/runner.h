// Runs operations on a real engine and on the reference side by side and compares every answer, and
// the whole state when asked. The first difference is described; nothing is done after it.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fs/engine.h"
#include "tests/model/operation.h"
#include "tests/model/reference.h"
#include "tests/support/scratch.h"

namespace amphora::model {

class Runner {
 public:
  static constexpr std::size_t kBuckets = 2;
  static constexpr std::size_t kHandles = 4;

  Runner();
  ~Runner();

  // Empty: both sides agree.
  std::string Run(const Operation& operation);
  // Compares names, attributes, contents and listings of everything, and runs check.
  std::string CompareAll();
  Scene CurrentScene();

 private:
  struct Handle {
    std::shared_ptr<File> expected;
    std::shared_ptr<fs::FileHandle> real;
  };
  struct Target {  // a visible name in a directory, on both sides
    Place place;
    fs::InodeId directory;
  };

  void OpenEngine();
  void CloseEngine();
  std::optional<Target> TargetAt(std::size_t path_word);
  Result<fs::InodeId> WalkTo(std::size_t bucket, const std::string& path);
  std::string Compare(const Outcome& expected, const Status& real);
  std::string CompareWhetherDone(const Outcome& expected, const Status& real);

  std::string Apply();
  std::string MakeBucket();
  std::string RemoveBucket();
  std::string Create();
  std::string Write();
  std::string Symlink();
  std::string RenameIt();
  std::string LinkIt();
  std::string Truncate();
  std::string SetXattr();
  std::string RemoveXattr();
  std::string ChangeMode();
  std::string OpenHandle();
  std::string WriteHandle();
  std::string ReadHandle();
  std::string PutObject();
  std::string GetObject(const std::string& key);
  std::string PutParts();
  std::string CopyObject();
  std::string PutIf();
  std::string DeleteIf();
  std::string DeleteObject();
  std::string DeleteMany();
  std::string List(const fs::ListRequest& request);
  std::string CompareDirectory(const Directory& expected, fs::InodeId real);
  std::string CompareFile(const File& expected, const fs::Attributes& real);

  const std::string& Word(std::size_t index) const;
  std::size_t Number(std::size_t index) const;

  test::ScratchDirectory scratch_;
  std::unique_ptr<fs::Engine> engine_;
  std::array<std::unique_ptr<Bucket>, kBuckets> expected_;
  std::array<fs::BucketId, kBuckets> real_{};
  std::array<Handle, kHandles> handles_;
  fs::Caller caller_;
  // The operation that runs.
  const Operation* operation_ = nullptr;
  std::size_t at_ = 0;  // its bucket
};

}  // namespace amphora::model
