// The floor's rows in RocksDB: dentries and inodes in one column family, inline content in another
// one that keeps values in blob files. Every write goes to the log (a write(2), never a sync).
// Thread-safe. Rows are written as a real store would write them, but never read back at a start:
// the floor's names live in memory.
//
//   names    'd' parent(8, big-endian) name  ->  inode id(8)
//            'i' inode(8, big-endian)        ->  InodeRow, 64 bytes
//   content  inode(8, big-endian)            ->  the bytes, 1 to 64 KiB
#pragma once

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>
#include <sys/stat.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace amphora::bench {

class Rows {
 public:
  // Opens a fresh store in `directory`, which must be empty. Throws std::runtime_error.
  explicit Rows(const std::string& directory);
  ~Rows();
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;

  void PutDentry(rocksdb::WriteBatch& batch, std::uint64_t parent, std::string_view name,
                 std::uint64_t ino) const;
  void EraseDentry(rocksdb::WriteBatch& batch, std::uint64_t parent, std::string_view name) const;
  void PutInode(rocksdb::WriteBatch& batch, const struct stat& attributes) const;
  void EraseInode(rocksdb::WriteBatch& batch, std::uint64_t ino) const;
  void PutContent(rocksdb::WriteBatch& batch, std::uint64_t ino, std::string_view bytes) const;
  void EraseContent(rocksdb::WriteBatch& batch, std::uint64_t ino) const;

  // 0 or EIO. The batch is in the operating system's page cache afterwards, not on the disk.
  int Write(rocksdb::WriteBatch& batch);
  // 0 or EIO, also when there is no such row.
  int GetContent(std::uint64_t ino, rocksdb::PinnableSlice* bytes);
  // Makes all that was written durable. 0 or EIO.
  int Sync();

 private:
  std::unique_ptr<rocksdb::DB> db_;
  std::unique_ptr<rocksdb::ColumnFamilyHandle> names_;
  std::unique_ptr<rocksdb::ColumnFamilyHandle> content_;
};

}  // namespace amphora::bench
