// The reference of the model test: the namespace rules of both faces over plain maps in memory,
// written from the design and not from the engine. It knows nothing of rows, inodes, transactions
// or handles.
//
// A bucket is a tree of directories. A directory has two maps, because the file "a" and the
// directory "a/" can stand side by side. Calls answer nothing when they succeed, else the error
// that the engine must answer.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fs/types.h"

namespace amphora::model {

struct File {
  fs::FileKind kind = fs::FileKind::kRegular;
  std::string content;  // of a symlink: its target
  std::map<std::string, std::string> xattrs;
  std::string tag;  // S3 user metadata of the last PUT
  std::uint32_t permissions = 0644;
  std::uint64_t links = 1;
};

struct Directory {
  std::map<std::string, std::shared_ptr<File>> files;
  std::map<std::string, std::shared_ptr<Directory>> directories;
  bool implicit = false;
  std::map<std::string, std::string> xattrs;
  std::string tag;
  Directory* parent = nullptr;  // null: the bucket's root
  std::string name;

  bool empty() const { return files.empty() && directories.empty(); }
};

// What a visible name says: the raw name, and the kind if it was an escape.
struct Name {
  std::string raw;
  std::optional<bool> directory;
};
// Nothing for a name that begins like an escape and is none.
std::optional<Name> Decode(std::string_view visible);
std::string Encode(std::string_view raw, bool directory, bool shadowed);

using Outcome = std::optional<ErrorCode>;
inline constexpr Outcome kDone = std::nullopt;

// A place in the tree as POSIX names it: a directory and a visible name in it.
struct Place {
  Directory* directory = nullptr;
  std::string name;
};

// What a name shows.
struct Shown {
  std::shared_ptr<File> file;
  std::shared_ptr<Directory> directory;
  explicit operator bool() const { return file || directory; }
};

enum class Rename { kReplace, kNoReplace, kExchange };

class Bucket {
 public:
  Directory& root() { return root_; }
  // By raw components, each followed by '/': "" is the root. Null: no such directory.
  Directory* FindDirectory(std::string_view path);
  // Every directory's path, the root's first.
  std::vector<std::string> DirectoryPaths() const;

  // POSIX.
  static Shown Look(const Place& place);
  static Outcome MakeDirectory(const Place& place);
  static Outcome MakeFile(const Place& place, std::shared_ptr<File> file);
  static Outcome Unlink(const Place& place);
  static Outcome RemoveDirectory(const Place& place);
  static Outcome Link(const std::shared_ptr<File>& file, const Place& to);
  static Outcome Move(const Place& from, const Place& to, Rename mode);

  // S3. A key's directories are made implicit.
  void Put(std::string_view key, std::string content, std::string tag);
  bool Delete(std::string_view key);  // whether it was there
  // What S3 sees: a file, or an explicit directory.
  std::optional<Shown> Find(std::string_view key);
  // Every key with its size.
  std::map<std::string, std::uint64_t> Keys() const;

 private:
  Directory root_;
};

}  // namespace amphora::model
