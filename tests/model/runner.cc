// What each operation does on both sides. An operation whose place is not there is passed over on
// both: so a sequence stays meaningful when others are taken out of it.

#include "tests/model/runner.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <utility>

#include "tests/support/listing_reference.h"

namespace amphora::model {
namespace {

constexpr std::string_view kTag = "tag";

std::span<const std::byte> Bytes(const std::string& text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

Status StatusOf(const auto& result) { return result.ok() ? Ok() : Status(result.error()); }

std::string Text(const Outcome& outcome) {
  return outcome ? std::string(amphora::Name(*outcome)) : "done";
}
std::string Text(const Status& status) { return status.ok() ? "done" : status.error().ToString(); }

std::string Differs(const std::string& what, const std::string& expected, const std::string& real) {
  return what + ": expected " + expected + ", got " + real;
}
std::string Differs(const std::string& what, std::uint64_t expected, std::uint64_t real) {
  return Differs(what, std::to_string(expected), std::to_string(real));
}

// Contents are long runs of one byte: their lengths and first difference say enough.
std::string DiffersInContent(const std::string& what, const std::string& expected,
                             const std::string& real) {
  const auto [at, ignored] = std::ranges::mismatch(expected, real);
  return what + ": content of " + std::to_string(expected.size()) + " bytes expected, got " +
         std::to_string(real.size()) + "; the first difference is at " +
         std::to_string(at - expected.begin());
}

std::string BucketText(std::size_t number) { return "bucket-" + std::to_string(number); }

void WriteInto(std::string& content, std::size_t offset, const std::string& data) {
  if (content.size() < offset + data.size()) content.resize(offset + data.size(), '\0');
  content.replace(offset, data.size(), data);
}

}  // namespace

Runner::Runner() { OpenEngine(); }
Runner::~Runner() { CloseEngine(); }

void Runner::OpenEngine() {
  fs::EngineOptions options;
  options.data_directory = scratch_.path() + "/data";
  options.min_part_bytes = 1;
  auto engine = fs::Engine::Open(options);
  if (engine.ok()) engine_ = std::move(*engine);
}

void Runner::CloseEngine() {
  for (Handle& handle : handles_) {
    if (handle.real) handle.real->Release();
    handle = Handle();
  }
  engine_.reset();
}

const std::string& Runner::Word(std::size_t index) const {
  static const std::string nothing;
  return index < operation_->words.size() ? operation_->words[index] : nothing;
}
std::size_t Runner::Number(std::size_t index) const {
  return std::strtoul(Word(index).c_str(), nullptr, 10);
}

Scene Runner::CurrentScene() {
  Scene scene;
  for (const auto& bucket : expected_) scene.buckets.push_back(bucket.get());
  return scene;
}

std::string Runner::Compare(const Outcome& expected, const Status& real) {
  const bool same = expected ? real.Is(*expected) : real.ok();
  return same ? "" : Differs(ToText(*operation_), Text(expected), Text(real));
}
std::string Runner::CompareWhetherDone(const Outcome& expected, const Status& real) {
  return expected.has_value() != real.ok() ? "" : Compare(expected, real);
}

Result<fs::InodeId> Runner::WalkTo(std::size_t bucket, const std::string& path) {
  fs::InodeId at(real_.at(bucket).value());
  std::size_t begin = 0;
  for (std::size_t end; (end = path.find('/', begin)) != std::string::npos; begin = end + 1) {
    const std::string name = Encode(path.substr(begin, end - begin), true, true);
    AMPHORA_ASSIGN(const fs::Attributes found, engine_->files().Lookup(at, name));
    at = found.inode;
  }
  return at;
}

std::optional<Runner::Target> Runner::TargetAt(std::size_t path_word) {
  Directory* const directory = expected_[at_]->FindDirectory(Word(path_word));
  if (directory == nullptr) return std::nullopt;
  const auto real = WalkTo(at_, Word(path_word));
  return Target{{directory, Word(path_word + 1)}, real.value_or(fs::InodeId())};
}

std::string Runner::Run(const Operation& operation) {
  if (!engine_) return "the engine did not open";
  operation_ = &operation;
  at_ = Number(1) % kBuckets;
  return Apply();
}

std::string Runner::Apply() {
  const std::string& verb = Word(0);
  if (verb == "mkbucket") return MakeBucket();
  if (verb == "restart") {
    CloseEngine();
    OpenEngine();
    return engine_ ? "" : "the engine did not open again";
  }
  if (verb == "hwrite") return WriteHandle();
  if (verb == "hread") return ReadHandle();
  if (verb == "close") {
    Handle& handle = handles_.at(Number(2) % kHandles);
    if (handle.real) handle.real->Release();
    handle = Handle();
    return "";
  }
  if (!expected_[at_]) return "";
  static const std::map<std::string, std::function<std::string(Runner&)>> kVerbs = {
      {"rmbucket", &Runner::RemoveBucket},
      {"settle",
       [](Runner& runner) {
         const auto done = runner.engine_->admin().CollectGarbage({});
         return done.ok() ? std::string() : done.error().ToString();
       }},
      {"mkdir",
       [](Runner& runner) -> std::string {
         const auto target = runner.TargetAt(2);
         if (!target) return "";
         fs::NewNode node{fs::FileKind::kDirectory, 0755, 0, ""};
         const auto made = runner.engine_->files().MakeNode(runner.caller_, target->directory,
                                                            target->place.name, node);
         return runner.Compare(Bucket::MakeDirectory(target->place), StatusOf(made));
       }},
      {"unlink",
       [](Runner& runner) -> std::string {
         const auto target = runner.TargetAt(2);
         if (!target) return "";
         return runner.Compare(
             Bucket::Unlink(target->place),
             runner.engine_->files().Unlink(runner.caller_, target->directory, target->place.name));
       }},
      {"rmdir",
       [](Runner& runner) -> std::string {
         const auto target = runner.TargetAt(2);
         if (!target) return "";
         return runner.Compare(Bucket::RemoveDirectory(target->place),
                               runner.engine_->files().RemoveDirectory(
                                   runner.caller_, target->directory, target->place.name));
       }},
      {"create", &Runner::Create},
      {"write", &Runner::Write},
      {"symlink", &Runner::Symlink},
      {"rename", &Runner::RenameIt},
      {"link", &Runner::LinkIt},
      {"truncate", &Runner::Truncate},
      {"setxattr", &Runner::SetXattr},
      {"removexattr", &Runner::RemoveXattr},
      {"chmod", &Runner::ChangeMode},
      {"open", &Runner::OpenHandle},
      {"put", &Runner::PutObject},
      {"get", [](Runner& runner) { return runner.GetObject(runner.Word(2)); }},
      {"putparts", &Runner::PutParts},
      {"copy", &Runner::CopyObject},
      {"putif", &Runner::PutIf},
      {"delete", &Runner::DeleteObject},
      {"deleteif", &Runner::DeleteIf},
      {"deletemany", &Runner::DeleteMany},
      {"list",
       [](Runner& runner) {
         return runner.List({runner.real_[runner.at_], runner.Word(2), runner.Word(3),
                             runner.Word(4), runner.Number(5)});
       }},
  };
  const auto found = kVerbs.find(verb);
  return found == kVerbs.end() ? "unknown verb " + verb : found->second(*this);
}

std::string Runner::MakeBucket() {
  const auto made = engine_->buckets().CreateBucket(caller_, "model", "s3v", BucketText(at_));
  const Outcome expected = expected_[at_] ? Outcome(ErrorCode::kExists) : kDone;
  if (made.ok() && !expected) {
    real_[at_] = made->info.id;
    expected_[at_] = std::make_unique<Bucket>();
  }
  return Compare(expected, StatusOf(made));
}

std::string Runner::RemoveBucket() {
  const auto removed = engine_->buckets().DeleteBucket("s3v", BucketText(at_));
  if (!expected_[at_]->root().empty()) {
    return Compare(ErrorCode::kBucketNotEmpty, StatusOf(removed));
  }
  expected_[at_].reset();
  return Compare(kDone, StatusOf(removed));
}

std::string Runner::Create() {
  const auto target = TargetAt(2);
  if (!target) return "";
  auto file = std::make_shared<File>();
  file->content = ContentOf(Word(4));
  const Outcome expected = Bucket::MakeFile(target->place, file);
  fs::OpenOptions options;
  options.write = true;
  options.exclusive = true;
  const auto opened = engine_->files().Create(caller_, target->directory, target->place.name, 0644,
                                              options, nullptr);
  if (opened.ok() && !expected) {
    if (!file->content.empty()) {
      const auto written = opened->handle->Write(0, Bytes(file->content));
      if (!written.ok()) return "write: " + written.error().ToString();
    }
    const Status flushed = opened->handle->Flush();
    if (!flushed.ok()) return "flush: " + flushed.error().ToString();
  }
  return Compare(expected, StatusOf(opened));
}

std::string Runner::Write() {
  const auto target = TargetAt(2);
  const Shown shown = target ? Bucket::Look(target->place) : Shown();
  if (!shown.file || shown.file->kind != fs::FileKind::kRegular) return "";
  const auto found = engine_->files().Lookup(target->directory, target->place.name);
  if (!found.ok()) return Compare(kDone, StatusOf(found));
  fs::OpenOptions options;
  options.write = true;
  options.truncate = true;
  const auto opened = engine_->files().Open(caller_, found->inode, options);
  if (!opened.ok()) return Compare(kDone, StatusOf(opened));
  shown.file->content = ContentOf(Word(4));
  if (!shown.file->content.empty()) {
    const auto written = opened->handle->Write(0, Bytes(shown.file->content));
    if (!written.ok()) return Compare(kDone, StatusOf(written));
  }
  return Compare(kDone, opened->handle->Flush());
}

std::string Runner::Symlink() {
  const auto target = TargetAt(2);
  if (!target) return "";
  auto file = std::make_shared<File>();
  file->kind = fs::FileKind::kSymlink;
  file->content = Word(4);
  file->permissions = 0777;
  fs::NewNode node{fs::FileKind::kSymlink, 0777, 0, Word(4)};
  const auto made = engine_->files().MakeNode(caller_, target->directory, target->place.name, node);
  return Compare(Bucket::MakeFile(target->place, file), StatusOf(made));
}

std::string Runner::RenameIt() {
  const auto from = TargetAt(2);
  const auto to = TargetAt(4);
  if (!from || !to) return "";
  const Shown source = Bucket::Look(from->place);
  const Shown shown = Bucket::Look(to->place);
  // rename(2) of one name of an inode onto another does not reach a file system.
  if (source && source.file == shown.file && source.directory == shown.directory) return "";
  static const std::map<std::string, std::pair<Rename, fs::RenameMode>> kModes = {
      {"replace", {Rename::kReplace, fs::RenameMode::kReplace}},
      {"noreplace", {Rename::kNoReplace, fs::RenameMode::kNoReplace}},
      {"exchange", {Rename::kExchange, fs::RenameMode::kExchange}}};
  const auto mode = kModes.find(Word(6));
  if (mode == kModes.end()) return "unknown mode of rename";
  fs::RenameRequest request;
  request.from_parent = from->directory;
  request.from_name = from->place.name;
  request.to_parent = to->directory;
  request.to_name = to->place.name;
  request.mode = mode->second.second;
  const auto renamed = engine_->files().Rename(caller_, request);
  const Status real = renamed.ok() ? Ok() : Status(renamed.error());
  // Which of several reasons is told is not part of the rules.
  return CompareWhetherDone(Bucket::Move(from->place, to->place, mode->second.first), real);
}

std::string Runner::LinkIt() {
  const auto from = TargetAt(2);
  const auto to = TargetAt(4);
  const Shown source = from ? Bucket::Look(from->place) : Shown();
  if (!source.file || !to) return "";
  const auto found = engine_->files().Lookup(from->directory, from->place.name);
  if (!found.ok()) return Compare(kDone, StatusOf(found));
  const auto linked = engine_->files().Link(caller_, found->inode, to->directory, to->place.name);
  return Compare(Bucket::Link(source.file, to->place), StatusOf(linked));
}

std::string Runner::Truncate() {
  const auto target = TargetAt(2);
  const Shown shown = target ? Bucket::Look(target->place) : Shown();
  if (!shown.file || shown.file->kind != fs::FileKind::kRegular) return "";
  const auto found = engine_->files().Lookup(target->directory, target->place.name);
  if (!found.ok()) return Compare(kDone, StatusOf(found));
  fs::AttributeChange change;
  change.size = Number(4);
  shown.file->content.resize(Number(4), '\0');
  return Compare(kDone,
                 StatusOf(engine_->files().SetAttributes(caller_, found->inode, change, nullptr)));
}

std::string Runner::SetXattr() {
  const auto target = TargetAt(2);
  const Shown shown = target ? Bucket::Look(target->place) : Shown();
  if (!shown || (shown.file && shown.file->kind != fs::FileKind::kRegular)) return "";
  const auto found = engine_->files().Lookup(target->directory, target->place.name);
  if (!found.ok()) return Compare(kDone, StatusOf(found));
  (shown.file ? shown.file->xattrs : shown.directory->xattrs)[Word(4)] = Word(5);
  if (shown.directory) shown.directory->implicit = false;
  return Compare(kDone, engine_->files().SetXattr(caller_, found->inode, Word(4), Word(5),
                                                  fs::XattrMode::kCreateOrReplace));
}

std::string Runner::RemoveXattr() {
  const auto target = TargetAt(2);
  const Shown shown = target ? Bucket::Look(target->place) : Shown();
  if (!shown || (shown.file && shown.file->kind != fs::FileKind::kRegular)) return "";
  const auto found = engine_->files().Lookup(target->directory, target->place.name);
  if (!found.ok()) return Compare(kDone, StatusOf(found));
  auto& xattrs = shown.file ? shown.file->xattrs : shown.directory->xattrs;
  const bool there = xattrs.erase(Word(4)) != 0;
  if (there && shown.directory) shown.directory->implicit = false;
  return Compare(there ? kDone : Outcome(ErrorCode::kNoAttribute),
                 engine_->files().RemoveXattr(caller_, found->inode, Word(4)));
}

std::string Runner::ChangeMode() {
  const auto target = TargetAt(2);
  const Shown shown = target ? Bucket::Look(target->place) : Shown();
  if (!shown || (shown.file && shown.file->kind != fs::FileKind::kRegular)) return "";
  const auto found = engine_->files().Lookup(target->directory, target->place.name);
  if (!found.ok()) return Compare(kDone, StatusOf(found));
  fs::AttributeChange change;
  change.permissions = static_cast<std::uint32_t>(std::strtoul(Word(4).c_str(), nullptr, 8));
  if (shown.file) shown.file->permissions = *change.permissions;
  if (shown.directory) shown.directory->implicit = false;
  return Compare(kDone,
                 StatusOf(engine_->files().SetAttributes(caller_, found->inode, change, nullptr)));
}

std::string Runner::OpenHandle() {
  const auto target = TargetAt(2);
  const Shown shown = target ? Bucket::Look(target->place) : Shown();
  if (!shown.file || shown.file->kind != fs::FileKind::kRegular) return "";
  const auto found = engine_->files().Lookup(target->directory, target->place.name);
  if (!found.ok()) return Compare(kDone, StatusOf(found));
  fs::OpenOptions options;
  options.write = true;
  auto opened = engine_->files().Open(caller_, found->inode, options);
  if (!opened.ok()) return Compare(kDone, StatusOf(opened));
  Handle& handle = handles_.at(Number(4) % kHandles);
  if (handle.real) handle.real->Release();
  handle = Handle{shown.file, std::move(opened->handle)};
  return "";
}

std::string Runner::WriteHandle() {
  Handle& handle = handles_.at(Number(2) % kHandles);
  const std::string data = ContentOf(Word(4));
  if (!handle.real || data.empty()) return "";
  WriteInto(handle.expected->content, Number(3), data);
  return Compare(kDone, StatusOf(handle.real->Write(Number(3), Bytes(data))));
}

std::string Runner::ReadHandle() {
  Handle& handle = handles_.at(Number(2) % kHandles);
  if (!handle.real) return "";
  const std::string& expected = handle.expected->content;
  std::string content(expected.size() + 10, '?');
  const auto count = handle.real->Read(0, std::as_writable_bytes(std::span(content)));
  if (!count.ok()) return Compare(kDone, StatusOf(count));
  content.resize(*count);
  if (content != expected) return DiffersInContent("a handle", expected, content);
  const fs::Attributes real = handle.real->GetAttributes();
  if (real.size != expected.size()) return Differs("a handle's size", expected.size(), real.size);
  if (real.links == handle.expected->links) return "";
  return Differs("a handle's links", handle.expected->links, real.links);
}

std::string Runner::PutObject() {
  const std::string content = ContentOf(Word(3));
  auto writer = engine_->objects().BeginPut({real_[at_], Word(2), std::nullopt, {}});
  if (!writer.ok()) return Compare(kDone, StatusOf(writer));
  const Status appended = (*writer)->Append(Bytes(content));
  if (!appended.ok()) return Compare(kDone, appended);
  fs::PutOptions options;
  options.metadata.user.emplace_back(kTag, Word(4));
  const auto outcome = (*writer)->Commit(options);
  expected_[at_]->Put(Word(2), content, Word(4));
  return Compare(kDone, StatusOf(outcome));
}

std::string Runner::GetObject(const std::string& key) {
  const auto expected = expected_[at_]->Find(key);
  const auto head = engine_->objects().Head(real_[at_], key);
  const auto reader = engine_->objects().Open(real_[at_], key);
  const Outcome outcome = expected ? kDone : Outcome(ErrorCode::kNotFound);
  if (!expected || !head.ok() || !reader.ok()) {
    const std::string differs = Compare(outcome, StatusOf(head));
    return differs.empty() ? Compare(outcome, StatusOf(reader)) : differs;
  }
  const fs::ObjectInfo& info = (*reader)->info();
  const bool regular = expected->file && expected->file->kind == fs::FileKind::kRegular;
  const std::string content = regular ? expected->file->content : "";
  std::string real(info.size, '?');
  const auto count = (*reader)->Read(0, std::as_writable_bytes(std::span(real)));
  if (!count.ok()) return Compare(kDone, StatusOf(count));
  if (real != content) return DiffersInContent("GET " + key, content, real);
  if (head->size != info.size) return Differs("HEAD's size of " + key, info.size, head->size);
  if (head->etag != info.etag) return Differs("HEAD's ETag of " + key, info.etag, head->etag);
  if (head->directory != (expected->directory != nullptr)) return "HEAD's kind of " + key;
  const std::string& tag = expected->file ? expected->file->tag : expected->directory->tag;
  std::string real_tag;
  for (const auto& [name, value] : info.metadata.user) {
    if (name == kTag) real_tag = value;
  }
  return real_tag == tag ? "" : Differs("the tag of " + key, tag, real_tag);
}

std::string Runner::DeleteObject() {
  const auto deleted = engine_->objects().Delete(caller_, real_[at_], Word(2));
  const bool expected = expected_[at_]->Delete(Word(2));
  if (!deleted.ok()) return Compare(kDone, StatusOf(deleted));
  return deleted->existed == expected ? ""
                                      : Differs(ToText(*operation_), expected, deleted->existed);
}

std::string Runner::DeleteMany() {
  std::vector<fs::DeleteManyItem> items;
  for (std::size_t i = 2; i < operation_->words.size(); ++i) {
    items.push_back({Word(i), {}, std::nullopt});
    expected_[at_]->Delete(Word(i));
  }
  const auto ticket = engine_->objects().DeleteMany(caller_, real_[at_], items);
  for (const fs::DeleteManyItem& item : items) {
    if (item.error) return Compare(kDone, Status(*item.error));
  }
  return Compare(kDone, StatusOf(ticket));
}

std::string Runner::List(const fs::ListRequest& request) {
  std::set<std::string> keys;
  for (const auto& [key, size] : expected_[at_]->Keys()) keys.insert(key);
  const test::ListedPage expected = test::ReferenceListing(keys, request);
  const auto listed = engine_->objects().List(request);
  if (!listed.ok()) return Compare(kDone, StatusOf(listed));
  const test::ListedPage real = test::Merged(*listed);
  const auto joined = [](const test::ListedPage& page) {
    std::string text = page.truncated ? "truncated:" : "whole:";
    for (const std::string& item : page.items) text += " \"" + item + "\"";
    return text;
  };
  return joined(expected) == joined(real) && expected.next == real.next
             ? ""
             : Differs("LIST", joined(expected), joined(real));
}

std::string Runner::CompareFile(const File& expected, const fs::Attributes& real) {
  const std::string what = "inode " + std::to_string(real.inode.value());
  if (real.kind != expected.kind) return what + " is of another kind";
  if (real.links != expected.links) return Differs(what + " links", expected.links, real.links);
  if (real.permissions != expected.permissions) {
    return Differs(what + " mode", expected.permissions, real.permissions);
  }
  if (real.size != expected.content.size()) {
    return Differs(what + " size", expected.content.size(), real.size);
  }
  if (expected.kind == fs::FileKind::kSymlink) {
    const auto target = engine_->files().ReadLink(real.inode);
    return target.ok() && *target == expected.content ? "" : what + " leads elsewhere";
  }
  auto names = engine_->files().ListXattrs(caller_, real.inode);
  // Of object metadata, which shows as such, the reference knows nothing.
  if (names.ok()) {
    std::erase_if(*names, [](const std::string& name) { return name.starts_with("user.s3."); });
  }
  if (!names.ok() || names->size() != expected.xattrs.size()) return what + " has other xattrs";
  for (const auto& [name, value] : expected.xattrs) {
    const auto found = engine_->files().GetXattr(real.inode, name);
    if (!found.ok() || *found != value) return what + " has another " + name;
  }
  const auto opened = engine_->files().Open(caller_, real.inode, {});
  if (!opened.ok()) return what + " open: " + opened.error().ToString();
  std::string content(expected.content.size() + 10, '?');
  const auto count = opened->handle->Read(0, std::as_writable_bytes(std::span(content)));
  if (!count.ok()) return what + " read: " + count.error().ToString();
  content.resize(*count);
  if (content != expected.content) return DiffersInContent(what, expected.content, content);
  return "";
}

std::string Runner::CompareDirectory(const Directory& expected, fs::InodeId real) {
  std::map<std::string, Shown> names;
  for (const auto& [raw, child] : expected.directories) {
    names[Encode(raw, true, false)].directory = child;
  }
  for (const auto& [raw, file] : expected.files) {
    names[Encode(raw, false, expected.directories.contains(raw))].file = file;
  }
  fs::ReadDirectoryRequest request;
  request.directory = real;
  request.limit = 3;
  request.with_attributes = true;
  std::size_t seen = 0;
  for (;;) {
    const auto entries = engine_->files().ReadDirectory(request);
    if (!entries.ok()) return "readdir: " + entries.error().ToString();
    if (entries->empty()) break;
    request.after = entries->back().position;
    for (const fs::DirectoryEntry& entry : *entries) {
      ++seen;
      const auto found = names.find(entry.name);
      if (found == names.end()) return "readdir shows \"" + entry.name + "\", which is not there";
      const auto looked_up = engine_->files().Lookup(real, entry.name);
      if (!looked_up.ok() || looked_up->inode != entry.inode) {
        return "lookup and readdir disagree on \"" + entry.name + "\"";
      }
      const Shown& shown = found->second;
      if (shown.file) {
        const std::string differs = CompareFile(*shown.file, *looked_up);
        if (!differs.empty()) return "\"" + entry.name + "\": " + differs;
        continue;
      }
      const std::uint64_t links = 2 + shown.directory->directories.size();
      if (looked_up->links != links) {
        return Differs("links of \"" + entry.name + "\"", links, looked_up->links);
      }
      const std::string differs = CompareDirectory(*shown.directory, entry.inode);
      if (!differs.empty()) return "\"" + entry.name + "/\": " + differs;
    }
  }
  return seen == names.size() ? "" : Differs("names in a directory", names.size(), seen);
}

std::string Runner::CompareAll() {
  if (!engine_) return "the engine did not open";
  for (at_ = 0; at_ < kBuckets; ++at_) {
    if (!expected_[at_]) continue;
    const Operation whole{{"compare", std::to_string(at_)}};
    operation_ = &whole;
    std::string differs = CompareDirectory(expected_[at_]->root(), fs::InodeId(real_[at_].value()));
    if (!differs.empty()) return BucketText(at_) + ": " + differs;
    differs = List({real_[at_], "", "", "", 1000});
    if (!differs.empty()) return differs;
    for (const auto& [key, size] : expected_[at_]->Keys()) {
      differs = GetObject(key);
      if (!differs.empty()) return differs;
    }
  }
  const auto report = engine_->admin().Check({});
  if (!report.ok()) return "check: " + report.error().ToString();
  if (report->findings.empty()) return "";
  return "check finds " + report->findings[0].kind + ": " + report->findings[0].what;
}

}  // namespace amphora::model
