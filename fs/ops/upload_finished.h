// What is remembered of uploads that were completed, so that a Complete whose answer was lost can
// be sent again although its key names another object by now (AWS answers such a retry for a while
// too). A row per upload, written by Complete's transaction, swept by age and number. Thread-safe.
#pragma once

#include <optional>

#include "fs/ops/put_object.h"
#include "fs/ops/upload_rows.h"
#include "fs/tx.h"
#include "fs/uploads.h"

namespace amphora::fs {

class Core;

Status NoteFinished(Tx& tx, const UploadName& name, const FoundUpload& upload,
                    const NewObject& object);

// What Complete answered for the upload of that bucket, key and id: key, size, ETag, checksum.
Result<std::optional<ObjectInfo>> FindFinished(meta::Reader& reader, const UploadName& name);

// Erases what is older than EngineOptions::finished_uploads_kept_s, and the oldest beyond
// EngineOptions::finished_uploads_kept.
Status SweepFinished(Core& core);

}  // namespace amphora::fs
