// From an S3 key to the names of the tree, and what is there. A key is split at '/': "a/b/" is the
// directory b in a, "x//y" the file y in the directory with the empty name in x. The content of a
// key "dir/" lives in the file with the empty name inside dir.
//
// Reads take any reader (a snapshot for one consistent answer). Inside a transaction each directory
// name on the way is taken shared, so that a concurrent rename of a directory waits for the commit
// or goes first. Pure functions and functions of one transaction: one thread.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "fs/entries.h"
#include "fs/records.h"
#include "fs/tx.h"
#include "fs/types.h"

namespace amphora::fs {

// The components of a key. They point into the key.
struct KeyPath {
  std::vector<std::string_view> directories;
  std::string_view file;       // empty for a key that ends in '/'
  bool directory_key = false;  // the key ends in '/': `directories` is the whole path
};
KeyPath SplitKey(std::string_view key);

// What a key names now: a file, symlink or special file, or an explicit directory.
struct FoundObject {
  InodeId inode;
  InodeRecord record;
  InodeId parent;  // the directory whose entry it is; of a key "dir/" the directory itself
};

// nullopt: the key names nothing that S3 sees. kCorrupt when a name points to no inode.
Result<std::optional<FoundObject>> FindObject(meta::Reader& reader, BucketId bucket,
                                              const KeyPath& path);

// The directory that `names` lead to, or nullopt when one is missing.
Result<std::optional<InodeId>> WalkDirectories(meta::Reader& reader, BucketId bucket,
                                               const std::vector<std::string_view>& names);
// The same inside a transaction, each name on the way locked shared.
Result<std::optional<InodeId>> WalkDirectories(Tx& tx, BucketId bucket,
                                               const std::vector<std::string_view>& names);

// Who owns what a PUT makes.
struct NewOwner {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::optional<std::uint32_t> permissions;  // of files, as the bucket's settings say
};
// What the bucket's settings say, else the caller; for one that stands for nobody (uid 0 and gid 0,
// as without access keys) the bucket's owner.
Result<NewOwner> OwnerFor(Tx& tx, BucketId bucket, const Caller& caller);

// The directory that `names` lead to; the missing ones are made as implicit directories. `existing`
// is how many are believed to exist (a hint that saves lock upgrades). kNoSuchBucket when the
// bucket is gone.
struct MadeDirectories {
  InodeId directory;
  bool fresh = false;  // made by this transaction
};
Result<MadeDirectories> MakeDirectories(Tx& tx, BucketId bucket, const Caller& caller,
                                        const std::vector<std::string_view>& names,
                                        std::size_t existing);

// LockParentToAdd for the S3 face: kNoSuchBucket when the bucket itself is gone.
Result<InodeRecord> LockParentForObject(Tx& tx, BucketId bucket, InodeId parent);

}  // namespace amphora::fs
