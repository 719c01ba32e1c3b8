// Uploads in parts, copies and conditions: what they do to the reference, which knows neither blobs
// nor extents, only content.

#include <utility>

#include "tests/model/runner.h"

namespace amphora::model {
namespace {

std::span<const std::byte> Bytes(const std::string& text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

Status StatusOf(const auto& result) { return result.ok() ? Ok() : Status(result.error()); }

}  // namespace

// putparts BUCKET KEY TAG CONTENT…: the parts arrive last first, one of them twice, and in between
// a part that is not in the list.
std::string Runner::PutParts() {
  fs::Uploads& uploads = engine_->uploads();
  fs::CreateUploadRequest create;
  create.bucket = real_[at_];
  create.key = Word(2);
  create.metadata.user.emplace_back("tag", Word(3));
  const auto created = uploads.Create(create);
  if (!created.ok()) return Compare(kDone, StatusOf(created));
  const fs::UploadName upload{real_[at_], Word(2), created->info.id};
  const auto part = [&](std::uint32_t number, const std::string& bytes) -> Result<std::string> {
    AMPHORA_ASSIGN(auto writer, uploads.BeginPart({upload, number, bytes.size(), {}}));
    AMPHORA_TRY(writer->Append(Bytes(bytes)));
    AMPHORA_ASSIGN(const auto outcome, writer->Commit({}));
    return outcome.part.etag;
  };
  fs::CompleteRequest complete;
  complete.upload = upload;
  std::string content;
  const std::size_t parts = operation_->words.size() - 4;
  for (std::size_t i = 0; i < parts; ++i) content += ContentOf(Word(4 + i));
  complete.parts.resize(parts);
  for (std::size_t i = parts; i-- > 0;) {
    const auto number = static_cast<std::uint32_t>(2 * i + 1);
    const std::string bytes = ContentOf(Word(4 + i));
    if (i == 1) (void)part(number, "an earlier one");
    if (i == 2) (void)part(number + 1, "left out");
    const auto etag = part(number, bytes);
    if (!etag.ok()) return Compare(kDone, StatusOf(etag));
    complete.parts[i] = {number, *etag, std::nullopt};
  }
  complete.expected_size = content.size();
  const bool empty_inside = [&] {
    for (std::size_t i = 0; i + 1 < parts; ++i) {
      if (Word(4 + i) == "-") return true;
    }
    return false;
  }();
  const auto done = uploads.Complete(complete);
  if (empty_inside) {
    const std::string differs = Compare(ErrorCode::kPartTooSmall, StatusOf(done));
    const auto aborted = uploads.Abort(upload);
    return differs.empty() ? Compare(kDone, StatusOf(aborted)) : differs;
  }
  expected_[at_]->Put(Word(2), content, Word(3));
  return Compare(kDone, StatusOf(done));
}

// copy BUCKET KEY BUCKET KEY TAG: "-" keeps the source's tag.
std::string Runner::CopyObject() {
  const std::size_t to = Number(3) % kBuckets;
  if (!expected_[to]) return "";
  fs::CopyRequest request;
  request.source_bucket = real_[at_];
  request.source_key = Word(2);
  request.bucket = real_[to];
  request.key = Word(4);
  const bool replace = Word(5) != "-";
  if (replace) request.replace_metadata.emplace().user.emplace_back("tag", Word(5));
  const auto copied = engine_->objects().Copy(request);
  const bool onto_itself = to == at_ && Word(2) == Word(4);
  if (onto_itself && !replace) return Compare(ErrorCode::kInvalidArgument, StatusOf(copied));
  const auto source = expected_[at_]->Find(Word(2));
  if (!source) return Compare(ErrorCode::kNotFound, StatusOf(copied));
  const bool regular = source->file && source->file->kind == fs::FileKind::kRegular;
  const std::string content = regular ? source->file->content : "";
  const std::string tag = replace        ? Word(5)
                          : source->file ? source->file->tag
                                         : source->directory->tag;
  expected_[to]->Put(Word(4), content, tag);
  return Compare(kDone, StatusOf(copied));
}

// putif BUCKET KEY CONTENT TAG new|same|other: If-None-Match: *, If-Match with the current ETag, or
// with another.
std::string Runner::PutIf() {
  const bool there = expected_[at_]->Find(Word(2)).has_value();
  const auto head = engine_->objects().Head(real_[at_], Word(2));
  fs::PutOptions options;
  options.metadata.user.emplace_back("tag", Word(4));
  Outcome expected = kDone;
  if (Word(5) == "new") {
    options.conditions.if_none_match = {"*"};
    if (there) expected = ErrorCode::kPreconditionFailed;
  } else {
    const bool same = Word(5) == "same";
    options.conditions.if_match = {same && head.ok() ? head->etag : "another"};
    if (!there) {
      expected = ErrorCode::kNotFound;
    } else if (!same) {
      expected = ErrorCode::kPreconditionFailed;
    }
  }
  const std::string content = ContentOf(Word(3));
  auto writer = engine_->objects().BeginPut({real_[at_], Word(2), std::nullopt, {}});
  if (!writer.ok()) return Compare(kDone, StatusOf(writer));
  const Status appended = (*writer)->Append(Bytes(content));
  if (!appended.ok()) return Compare(kDone, appended);
  const auto outcome = (*writer)->Commit(options);
  if (!expected) expected_[at_]->Put(Word(2), content, Word(4));
  return Compare(expected, StatusOf(outcome));
}

// deleteif BUCKET KEY same|other|new: with the current ETag, another, or "*".
std::string Runner::DeleteIf() {
  const bool there = expected_[at_]->Find(Word(2)).has_value();
  const auto head = engine_->objects().Head(real_[at_], Word(2));
  const bool same = Word(3) == "same" && head.ok();
  const std::string condition = same ? head->etag : Word(3) == "new" ? "*" : "another";
  const auto deleted = engine_->objects().Delete(caller_, real_[at_], Word(2), condition);
  Outcome expected = kDone;
  if (!there) {
    expected = ErrorCode::kNotFound;
  } else if (condition == "another") {
    expected = ErrorCode::kPreconditionFailed;
  } else {
    expected_[at_]->Delete(Word(2));
  }
  return Compare(expected, StatusOf(deleted));
}

}  // namespace amphora::model
