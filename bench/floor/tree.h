// The floor's names, attributes and open files, in memory.
//
// Locks, in this order: Tree's lock (names and the set of nodes), then one Node's mutex (its
// attributes, content and counts). Rows are written with neither held where a reply depends only
// on the batch; the kernel already serializes changes of one name and of one file.
// A Node lives while it has a name, while the kernel remembers it, or while it is open.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "bench/floor/rows.h"

namespace amphora::bench {

inline constexpr std::size_t kInlineLimit = 64 << 10;  // larger content goes to a backing file

struct StringHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const {
    return std::hash<std::string_view>()(text);
  }
};

struct Node {
  std::mutex mutex;
  struct stat attributes = {};  // st_ino never changes and needs no lock
  std::uint64_t lookups = 0;    // how often the kernel was told of this node and did not forget it
  int opens = 0;                // open handles
  int passthrough_opens = 0;    // those of them that the kernel serves from the backing file
  int fd = -1;                  // the backing file, while open
  int backing_id = 0;           // its registration with the kernel, while passthrough_opens > 0
  bool in_file = false;         // content is in the backing file; else in `buffer` or a row
  bool buffered = false;        // `buffer` is the content
  bool dirty = false;           // not all of it is in rows
  bool has_content_row = false;
  std::string buffer;
  std::string target;  // of a symlink; never changes
  // Guarded by Tree's lock:
  Node* parent = nullptr;
  std::unordered_map<std::string, Node*, StringHash, std::equal_to<>> children;

  std::uint64_t ino() const { return attributes.st_ino; }
  bool IsDirectory() const { return S_ISDIR(attributes.st_mode); }
};

// All functions return 0 or an errno unless they say otherwise.
class Tree {
 public:
  Tree(Rows& rows, std::string files_directory);

  Node* root() { return root_; }

  // The child with one more kernel reference, and its attributes; nullptr if there is none.
  Node* Lookup(Node* directory, std::string_view name, struct stat* attributes);
  // A new node under a new name, with one kernel reference; writes its two rows.
  int Make(Node* directory, std::string_view name, const struct stat& wanted,
           std::string_view target, Node** made);
  int Link(Node* node, Node* directory, std::string_view name);
  int Remove(Node* directory, std::string_view name, bool want_directory);
  int Rename(Node* from, std::string_view old_name, Node* to, std::string_view new_name,
             bool replace);
  std::vector<std::string> List(Node* directory);
  void Forget(Node* node, std::uint64_t count);

  // Content. The caller holds node->mutex.
  int OpenFile(Node& node);
  int WriteBytes(Node& node, std::string_view bytes, std::uint64_t offset);
  int Truncate(Node& node, std::uint64_t size);
  int LoadBuffer(Node& node);
  // Size and times of a file that the kernel may write without us come from the backing file.
  void RefreshFromFile(Node& node);
  // Writes the inode row, and inline content with it, in one batch.
  int Settle(Node& node);

  // Takes one handle away, if there is one; the last takes the buffer and the backing file's
  // descriptor with it. The caller does not hold node->mutex.
  void Closed(Node* node);
  int Sync(Node& node);

 private:
  std::string FilePath(std::uint64_t ino) const;
  int SpillToFile(Node& node);
  void ReapIfUnused(Node* node);
  // One name less; its rows go too when it was the last one and nobody has the node open.
  void DropName(Node* node, rocksdb::WriteBatch& batch);

  Rows& rows_;
  const std::string files_directory_;
  std::shared_mutex lock_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Node>> nodes_;
  std::uint64_t next_ino_ = 1;
  Node* root_ = nullptr;
};

timespec Now();

}  // namespace amphora::bench
