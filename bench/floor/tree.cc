#include "bench/floor/tree.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <utility>

namespace amphora::bench {
namespace {

int Check(bool succeeded) { return succeeded ? 0 : errno; }

// A name of `directory` changed, and with it the number of its subdirectories.
void Touch(Node& directory, int more_subdirectories) {
  std::lock_guard guard(directory.mutex);
  directory.attributes.st_nlink += more_subdirectories;
  directory.attributes.st_mtim = directory.attributes.st_ctim = Now();
}

int WriteAll(int fd, std::string_view bytes, std::uint64_t offset) {
  while (!bytes.empty()) {
    const ssize_t written = pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0) return errno;
    bytes.remove_prefix(static_cast<std::size_t>(written));
    offset += static_cast<std::uint64_t>(written);
  }
  return 0;
}

}  // namespace

timespec Now() {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return now;
}

Tree::Tree(Rows& rows, std::string files_directory)
    : rows_(rows), files_directory_(std::move(files_directory)) {
  auto root = std::make_unique<Node>();
  root->attributes.st_ino = next_ino_++;
  root->attributes.st_mode = S_IFDIR | 0755;
  root->attributes.st_nlink = 2;
  root->attributes.st_atim = root->attributes.st_mtim = root->attributes.st_ctim = Now();
  root_ = root.get();
  root_->parent = root_;
  nodes_.emplace(root_->ino(), std::move(root));
}

Node* Tree::Lookup(Node* directory, std::string_view name, struct stat* attributes) {
  std::shared_lock names(lock_);
  const auto found = directory->children.find(name);
  if (found == directory->children.end()) return nullptr;
  Node* node = found->second;
  std::lock_guard guard(node->mutex);
  ++node->lookups;
  if (node->passthrough_opens > 0) RefreshFromFile(*node);
  *attributes = node->attributes;
  return node;
}

int Tree::Make(Node* directory, std::string_view name, const struct stat& wanted,
               std::string_view target, Node** made) {
  auto owned = std::make_unique<Node>();
  Node* node = owned.get();
  node->attributes = wanted;
  node->attributes.st_nlink = S_ISDIR(wanted.st_mode) ? 2 : 1;
  node->attributes.st_size = static_cast<off_t>(target.size());
  node->attributes.st_blksize = 4096;
  node->attributes.st_atim = node->attributes.st_mtim = node->attributes.st_ctim = Now();
  node->target = target;
  node->lookups = 1;
  node->parent = directory;
  rocksdb::WriteBatch batch;
  {
    std::unique_lock names(lock_);
    if (!directory->children.emplace(name, node).second) return EEXIST;
    node->attributes.st_ino = next_ino_++;
    nodes_.emplace(node->ino(), std::move(owned));
    Touch(*directory, node->IsDirectory() ? 1 : 0);
  }
  rows_.PutDentry(batch, directory->ino(), name, node->ino());
  rows_.PutInode(batch, node->attributes);
  *made = node;
  return rows_.Write(batch);
}

int Tree::Link(Node* node, Node* directory, std::string_view name) {
  rocksdb::WriteBatch batch;
  {
    std::unique_lock names(lock_);
    if (!directory->children.emplace(name, node).second) return EEXIST;
    Touch(*directory, 0);
    std::lock_guard guard(node->mutex);
    ++node->attributes.st_nlink;
    ++node->lookups;
    node->attributes.st_ctim = Now();
    rows_.PutInode(batch, node->attributes);
  }
  rows_.PutDentry(batch, directory->ino(), name, node->ino());
  return rows_.Write(batch);
}

void Tree::DropName(Node* node, rocksdb::WriteBatch& batch) {
  std::lock_guard guard(node->mutex);
  node->attributes.st_nlink = node->IsDirectory() ? 0 : node->attributes.st_nlink - 1;
  node->attributes.st_ctim = Now();
  if (node->attributes.st_nlink > 0 || node->opens > 0) {
    rows_.PutInode(batch, node->attributes);
    return;
  }
  rows_.EraseInode(batch, node->ino());
  if (node->has_content_row) rows_.EraseContent(batch, node->ino());
  node->has_content_row = false;
}

int Tree::Remove(Node* directory, std::string_view name, bool want_directory) {
  rocksdb::WriteBatch batch;
  Node* node = nullptr;
  {
    std::unique_lock names(lock_);
    const auto found = directory->children.find(name);
    if (found == directory->children.end()) return ENOENT;
    node = found->second;
    if (want_directory && !node->children.empty()) return ENOTEMPTY;
    directory->children.erase(found);
    Touch(*directory, node->IsDirectory() ? -1 : 0);
    DropName(node, batch);
  }
  rows_.EraseDentry(batch, directory->ino(), name);
  return rows_.Write(batch);  // FORGET or the last close takes the node away
}

int Tree::Rename(Node* from, std::string_view old_name, Node* to, std::string_view new_name,
                 bool replace) {
  rocksdb::WriteBatch batch;
  {
    std::unique_lock names(lock_);
    const auto found = from->children.find(old_name);
    if (found == from->children.end()) return ENOENT;
    Node* node = found->second;
    const auto old = to->children.find(new_name);
    if (old != to->children.end()) {
      if (!replace) return EEXIST;
      if (old->second == node) return 0;
      if (!old->second->children.empty()) return ENOTEMPTY;
      if (old->second->IsDirectory()) Touch(*to, -1);
      DropName(old->second, batch);
      to->children.erase(old);
    }
    from->children.erase(found);
    to->children.emplace(new_name, node);
    Touch(*from, node->IsDirectory() ? -1 : 0);
    Touch(*to, node->IsDirectory() ? 1 : 0);
    if (node->IsDirectory()) node->parent = to;
    rows_.EraseDentry(batch, from->ino(), old_name);
    rows_.PutDentry(batch, to->ino(), new_name, node->ino());
    std::lock_guard guard(node->mutex);
    node->attributes.st_ctim = Now();
    rows_.PutInode(batch, node->attributes);
  }
  return rows_.Write(batch);
}

std::vector<std::string> Tree::List(Node* directory) {
  std::shared_lock names(lock_);
  std::vector<std::string> listed;
  listed.reserve(directory->children.size());
  for (const auto& [name, child] : directory->children) listed.push_back(name);
  return listed;
}

void Tree::Forget(Node* node, std::uint64_t count) {
  bool unused = false;
  {
    std::lock_guard guard(node->mutex);
    node->lookups -= std::min(count, node->lookups);
    unused = node->lookups == 0 && node->attributes.st_nlink == 0;
  }
  if (unused) ReapIfUnused(node);
}

void Tree::ReapIfUnused(Node* node) {
  std::unique_lock names(lock_);
  {
    std::lock_guard guard(node->mutex);
    if (node->lookups > 0 || node->attributes.st_nlink > 0 || node->opens > 0) return;
  }
  const std::uint64_t ino = node->ino();
  if (node->in_file) unlink(FilePath(ino).c_str());
  if (node->has_content_row) {  // it was open when its last name went
    rocksdb::WriteBatch batch;
    rows_.EraseInode(batch, ino);
    rows_.EraseContent(batch, ino);
    rows_.Write(batch);
  }
  nodes_.erase(ino);
}

std::string Tree::FilePath(std::uint64_t ino) const {
  return files_directory_ + "/" + std::to_string(ino);
}

int Tree::OpenFile(Node& node) {
  if (node.fd >= 0) return 0;
  node.fd = open(FilePath(node.ino()).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  return Check(node.fd >= 0);
}

int Tree::LoadBuffer(Node& node) {
  if (node.buffered) return 0;
  rocksdb::PinnableSlice bytes;
  if (node.has_content_row) {
    if (const int error = rows_.GetContent(node.ino(), &bytes)) return error;
  }
  node.buffer.assign(bytes.data(), bytes.size());
  node.buffer.resize(static_cast<std::size_t>(node.attributes.st_size));
  node.buffered = true;
  return 0;
}

int Tree::SpillToFile(Node& node) {
  if (const int error = LoadBuffer(node)) return error;
  if (const int error = OpenFile(node)) return error;
  if (const int error = WriteAll(node.fd, node.buffer, 0)) return error;
  node.in_file = true;
  node.buffered = false;
  node.buffer = std::string();
  return 0;
}

int Tree::WriteBytes(Node& node, std::string_view bytes, std::uint64_t offset) {
  const std::uint64_t end = offset + bytes.size();
  if (!node.in_file && end > kInlineLimit) {
    if (const int error = SpillToFile(node)) return error;
  }
  if (node.in_file) {
    if (const int error = OpenFile(node)) return error;
    if (const int error = WriteAll(node.fd, bytes, offset)) return error;
  } else {
    if (const int error = LoadBuffer(node)) return error;
    if (node.buffer.size() < end) node.buffer.resize(end);
    std::memcpy(node.buffer.data() + offset, bytes.data(), bytes.size());
  }
  node.attributes.st_size = std::max(node.attributes.st_size, static_cast<off_t>(end));
  node.attributes.st_mtim = node.attributes.st_ctim = Now();
  node.dirty = true;
  return 0;
}

int Tree::Truncate(Node& node, std::uint64_t size) {
  if (!node.in_file && size > kInlineLimit) {
    if (const int error = SpillToFile(node)) return error;
  }
  if (node.in_file) {
    if (const int error = OpenFile(node)) return error;
    if (ftruncate(node.fd, static_cast<off_t>(size)) != 0) return errno;
  } else if (size == 0) {
    node.buffer.clear();
    node.buffered = true;
  } else {
    if (const int error = LoadBuffer(node)) return error;
    node.buffer.resize(size);
  }
  node.attributes.st_size = static_cast<off_t>(size);
  node.attributes.st_mtim = node.attributes.st_ctim = Now();
  node.dirty = true;
  return 0;
}

void Tree::RefreshFromFile(Node& node) {
  struct stat live;
  if (node.fd < 0 || fstat(node.fd, &live) != 0) return;
  if (live.st_size != node.attributes.st_size ||
      std::memcmp(&live.st_mtim, &node.attributes.st_mtim, sizeof live.st_mtim) != 0) {
    node.attributes.st_size = live.st_size;
    node.attributes.st_mtim = node.attributes.st_ctim = live.st_mtim;
    node.dirty = true;
  }
}

int Tree::Settle(Node& node) {
  if (!node.dirty || node.attributes.st_nlink == 0) return 0;
  rocksdb::WriteBatch batch;
  rows_.PutInode(batch, node.attributes);
  const bool wants_row = !node.in_file && node.attributes.st_size > 0;
  if (wants_row && node.buffered) rows_.PutContent(batch, node.ino(), node.buffer);
  if (!wants_row && node.has_content_row) rows_.EraseContent(batch, node.ino());
  node.has_content_row = wants_row;
  if (const int error = rows_.Write(batch)) return error;
  node.dirty = false;
  return 0;
}

void Tree::Closed(Node* node) {
  bool unused = false;
  {
    std::lock_guard guard(node->mutex);
    if (node->opens > 0 && --node->opens > 0) return;
    Settle(*node);
    if (node->fd >= 0) close(std::exchange(node->fd, -1));
    node->buffered = false;
    node->buffer = std::string();
    unused = node->lookups == 0 && node->attributes.st_nlink == 0;
  }
  if (unused) ReapIfUnused(node);
}

int Tree::Sync(Node& node) {
  {
    std::lock_guard guard(node.mutex);
    if (node.fd >= 0 && fdatasync(node.fd) != 0) return errno;
    if (const int error = Settle(node)) return error;
  }
  return rows_.Sync();
}

}  // namespace amphora::bench
