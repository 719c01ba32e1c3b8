// What a visible name means in a directory: the one place where the mount's names meet the two rows
// that a raw name can have (hazards 4.1).
#pragma once

#include <string_view>

#include "fs/entries.h"
#include "fs/escape.h"

namespace amphora::fs {

// A visible name, decoded, with what is there.
struct Target {
  VisibleName name;
  Slot slot;

  // The row the visible name shows: the directory hides the file; an escape means its own kind
  // only.
  const DentryRecord* Shown() const;
  bool ShowsDirectory() const;
};

// In a transaction, with the lock on both rows. kNotFound for an undecodable escape.
Result<Target> ReadTarget(Tx& tx, InodeId parent, std::string_view visible, Lock lock);
// For reads.
Result<Target> ReadTarget(meta::Reader& reader, InodeId parent, std::string_view visible);
// For names to be made: kInvalidArgument for an undecodable escape or one of the other kind,
// kNameTooLong beyond NAME_MAX.
Result<Target> ReadNewTarget(Tx& tx, InodeId parent, std::string_view visible, bool directory);

}  // namespace amphora::fs
