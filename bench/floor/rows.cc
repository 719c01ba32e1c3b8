#include "bench/floor/rows.h"

#include <endian.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <vector>

namespace amphora::bench {
namespace {

struct InodeRow {
  std::uint64_t ino, size;
  std::uint32_t mode, uid, gid, nlink;
  std::int64_t mtime_ns, ctime_ns, atime_ns;
  std::uint64_t reserved;
};
static_assert(sizeof(InodeRow) == 64);

// A key built on the stack: no allocation for a row's name.
class Key {
 public:
  Key& Byte(char byte) {
    bytes_[size_++] = byte;
    return *this;
  }
  Key& Id(std::uint64_t id) {
    const std::uint64_t ordered = htobe64(id);
    std::memcpy(bytes_ + size_, &ordered, sizeof ordered);
    size_ += sizeof ordered;
    return *this;
  }
  Key& Name(std::string_view name) {
    const std::size_t length = std::min(name.size(), sizeof bytes_ - size_);
    std::memcpy(bytes_ + size_, name.data(), length);
    size_ += length;
    return *this;
  }
  rocksdb::Slice slice() const { return {bytes_, size_}; }

 private:
  std::size_t size_ = 0;
  char bytes_[1 + 8 + 1024];
};

std::int64_t Nanoseconds(const timespec& time) {
  return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

rocksdb::Slice AsSlice(std::string_view bytes) { return {bytes.data(), bytes.size()}; }

}  // namespace

Rows::Rows(const std::string& directory) {
  rocksdb::DBOptions options;
  options.create_if_missing = true;
  options.error_if_exists = true;
  options.create_missing_column_families = true;
  options.IncreaseParallelism(2);
  rocksdb::ColumnFamilyOptions names;
  rocksdb::ColumnFamilyOptions content;
  content.enable_blob_files = true;
  content.enable_blob_garbage_collection = true;
  const std::vector<rocksdb::ColumnFamilyDescriptor> families = {
      {rocksdb::kDefaultColumnFamilyName, names}, {"content", content}};
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* db = nullptr;
  const rocksdb::Status status = rocksdb::DB::Open(options, directory, families, &handles, &db);
  if (!status.ok()) throw std::runtime_error("cannot open " + directory + ": " + status.ToString());
  db_.reset(db);
  names_.reset(handles[0]);
  content_.reset(handles[1]);
}

Rows::~Rows() {
  names_.reset();  // handles go before the store
  content_.reset();
}

void Rows::PutDentry(rocksdb::WriteBatch& batch, std::uint64_t parent, std::string_view name,
                     std::uint64_t ino) const {
  batch.Put(names_.get(), Key().Byte('d').Id(parent).Name(name).slice(), Key().Id(ino).slice());
}

void Rows::EraseDentry(rocksdb::WriteBatch& batch, std::uint64_t parent,
                       std::string_view name) const {
  batch.Delete(names_.get(), Key().Byte('d').Id(parent).Name(name).slice());
}

void Rows::PutInode(rocksdb::WriteBatch& batch, const struct stat& attributes) const {
  InodeRow row = {};
  row.ino = attributes.st_ino;
  row.size = static_cast<std::uint64_t>(attributes.st_size);
  row.mode = attributes.st_mode;
  row.uid = attributes.st_uid;
  row.gid = attributes.st_gid;
  row.nlink = static_cast<std::uint32_t>(attributes.st_nlink);
  row.mtime_ns = Nanoseconds(attributes.st_mtim);
  row.ctime_ns = Nanoseconds(attributes.st_ctim);
  row.atime_ns = Nanoseconds(attributes.st_atim);
  batch.Put(names_.get(), Key().Byte('i').Id(row.ino).slice(),
            rocksdb::Slice(reinterpret_cast<const char*>(&row), sizeof row));
}

void Rows::EraseInode(rocksdb::WriteBatch& batch, std::uint64_t ino) const {
  batch.Delete(names_.get(), Key().Byte('i').Id(ino).slice());
}

void Rows::PutContent(rocksdb::WriteBatch& batch, std::uint64_t ino, std::string_view bytes) const {
  batch.Put(content_.get(), Key().Id(ino).slice(), AsSlice(bytes));
}

void Rows::EraseContent(rocksdb::WriteBatch& batch, std::uint64_t ino) const {
  batch.Delete(content_.get(), Key().Id(ino).slice());
}

int Rows::Write(rocksdb::WriteBatch& batch) {
  return db_->Write(rocksdb::WriteOptions(), &batch).ok() ? 0 : EIO;
}

int Rows::GetContent(std::uint64_t ino, rocksdb::PinnableSlice* bytes) {
  return db_->Get(rocksdb::ReadOptions(), content_.get(), Key().Id(ino).slice(), bytes).ok() ? 0
                                                                                             : EIO;
}

int Rows::Sync() { return db_->SyncWAL().ok() ? 0 : EIO; }

}  // namespace amphora::bench
