#include "tests/model/reference.h"

#include <functional>

namespace amphora::model {
namespace {

constexpr std::string_view kPrefix = "@amphora@";

struct Key {
  std::vector<std::string> directories;
  std::string file;
  bool of_directory = false;
};

Key Split(std::string_view text) {
  Key key;
  std::string part;
  for (const char c : text) {
    if (c == '/') {
      key.directories.push_back(part);
      part.clear();
    } else {
      part.push_back(c);
    }
  }
  key.file = part;
  key.of_directory = part.empty();
  return key;
}

Directory& AddDirectory(Directory& parent, const std::string& name, bool implicit) {
  auto directory = std::make_shared<Directory>();
  directory->implicit = implicit;
  directory->parent = &parent;
  directory->name = name;
  return *(parent.directories[name] = std::move(directory));
}

// An implicit directory goes with its last key, and so on upwards.
void Vanish(Directory* directory) {
  while (directory->parent != nullptr && directory->implicit && directory->empty()) {
    Directory* const parent = directory->parent;
    const std::string name = directory->name;  // it dies with its entry
    parent->directories.erase(name);
    directory = parent;
  }
}

bool IsInside(const Directory* directory, const Directory* ancestor) {
  for (; directory != nullptr; directory = directory->parent) {
    if (directory == ancestor) return true;
  }
  return false;
}

void DropFile(Directory& directory, const std::string& raw) {
  --directory.files.at(raw)->links;
  directory.files.erase(raw);
}

// The name as something new: the escape must be of the right kind.
std::optional<Name> NewName(const Place& place, bool directory) {
  auto name = Decode(place.name);
  if (!name || (name->directory && *name->directory != directory)) return std::nullopt;
  // The file with the empty name in the bucket's root would have the empty key.
  if (!directory && name->raw.empty() && place.directory->parent == nullptr) return std::nullopt;
  return name;
}

void Attach(Directory& parent, const std::string& raw, std::shared_ptr<Directory> directory) {
  directory->parent = &parent;
  directory->name = raw;
  directory->implicit = false;
  parent.directories[raw] = std::move(directory);
}

Outcome Exchange(const Place& from, const Place& to, const Shown& source, const Shown& target) {
  const Name from_name = *Decode(from.name);
  const Name to_name = *Decode(to.name);
  Directory& a = *from.directory;
  Directory& b = *to.directory;
  if (&a == &b && from_name.raw == to_name.raw) return ErrorCode::kInvalidArgument;
  if (source.directory && IsInside(&b, source.directory.get())) return ErrorCode::kInvalidArgument;
  if (target.directory && IsInside(&a, target.directory.get())) return ErrorCode::kInvalidArgument;
  // Nothing may arrive where one of its own kind stays.
  if (source.file && target.directory &&
      (b.files.contains(to_name.raw) || a.directories.contains(from_name.raw))) {
    return ErrorCode::kExists;
  }
  if (source.directory && target.file &&
      (a.files.contains(from_name.raw) || b.directories.contains(to_name.raw))) {
    return ErrorCode::kExists;
  }
  // The empty key again.
  if (source.file && to_name.raw.empty() && b.parent == nullptr) return ErrorCode::kInvalidArgument;
  if (target.file && from_name.raw.empty() && a.parent == nullptr) {
    return ErrorCode::kInvalidArgument;
  }
  source.file ? (void)a.files.erase(from_name.raw) : (void)a.directories.erase(from_name.raw);
  target.file ? (void)b.files.erase(to_name.raw) : (void)b.directories.erase(to_name.raw);
  if (source.file) b.files[to_name.raw] = source.file;
  if (target.file) a.files[from_name.raw] = target.file;
  if (source.directory) Attach(b, to_name.raw, source.directory);
  if (target.directory) Attach(a, from_name.raw, target.directory);
  a.implicit = b.implicit = false;
  return kDone;
}

}  // namespace

std::optional<Name> Decode(std::string_view visible) {
  if (!visible.starts_with(kPrefix)) return Name{std::string(visible), std::nullopt};
  const std::string_view rest = visible.substr(kPrefix.size());
  if (rest.starts_with("f:")) return Name{std::string(rest.substr(2)), false};
  if (rest.starts_with("d:")) return Name{std::string(rest.substr(2)), true};
  return std::nullopt;
}

std::string Encode(std::string_view raw, bool directory, bool shadowed) {
  const bool plain =
      !raw.empty() && raw != "." && raw != ".." && !raw.starts_with(kPrefix) && !shadowed;
  if (plain) return std::string(raw);
  return std::string(kPrefix) + (directory ? "d:" : "f:") + std::string(raw);
}

Directory* Bucket::FindDirectory(std::string_view path) {
  Directory* at = &root_;
  for (const std::string& name : Split(path).directories) {
    const auto found = at->directories.find(name);
    if (found == at->directories.end()) return nullptr;
    at = found->second.get();
  }
  return at;
}

std::vector<std::string> Bucket::DirectoryPaths() const {
  std::vector<std::string> paths;
  const std::function<void(const Directory&, const std::string&)> visit =
      [&](const Directory& directory, const std::string& path) {
        paths.push_back(path);
        for (const auto& [name, child] : directory.directories) visit(*child, path + name + "/");
      };
  visit(root_, "");
  return paths;
}

Shown Bucket::Look(const Place& place) {
  const auto name = Decode(place.name);
  if (!name) return {};
  Shown shown;
  if (name->directory.value_or(true)) {
    const auto found = place.directory->directories.find(name->raw);
    if (found != place.directory->directories.end()) shown.directory = found->second;
  }
  if (!shown.directory && !name->directory.value_or(false)) {
    const auto found = place.directory->files.find(name->raw);
    if (found != place.directory->files.end()) shown.file = found->second;
  }
  return shown;
}

Outcome Bucket::MakeDirectory(const Place& place) {
  const auto name = NewName(place, true);
  if (!name) return ErrorCode::kInvalidArgument;
  if (Look(place)) return ErrorCode::kExists;
  AddDirectory(*place.directory, name->raw, false);
  place.directory->implicit = false;
  return kDone;
}

Outcome Bucket::MakeFile(const Place& place, std::shared_ptr<File> file) {
  const auto name = NewName(place, false);
  if (!name) return ErrorCode::kInvalidArgument;
  if (Look(place)) return ErrorCode::kExists;
  place.directory->files[name->raw] = std::move(file);
  place.directory->implicit = false;
  return kDone;
}

Outcome Bucket::Unlink(const Place& place) {
  const Shown shown = Look(place);
  if (!shown) return ErrorCode::kNotFound;
  if (shown.directory) return ErrorCode::kIsDirectory;
  DropFile(*place.directory, Decode(place.name)->raw);
  place.directory->implicit = false;
  return kDone;
}

Outcome Bucket::RemoveDirectory(const Place& place) {
  const Shown shown = Look(place);
  if (!shown) return ErrorCode::kNotFound;
  if (!shown.directory) return ErrorCode::kNotDirectory;
  if (!shown.directory->empty()) return ErrorCode::kNotEmpty;
  place.directory->directories.erase(Decode(place.name)->raw);
  place.directory->implicit = false;
  return kDone;
}

Outcome Bucket::Link(const std::shared_ptr<File>& file, const Place& to) {
  const Outcome made = MakeFile(to, file);
  if (!made) ++file->links;
  return made;
}

Outcome Bucket::Move(const Place& from, const Place& to, Rename mode) {
  const Shown source = Look(from);
  if (!source) return ErrorCode::kNotFound;
  const Shown target = Look(to);
  const bool same = source.file ? source.file == target.file : source.directory == target.directory;
  if (mode == Rename::kExchange) {
    if (!target) return ErrorCode::kNotFound;
    return same ? kDone : Exchange(from, to, source, target);
  }
  const auto to_name = NewName(to, source.directory != nullptr);
  if (!to_name) return ErrorCode::kInvalidArgument;
  if (target && mode == Rename::kNoReplace) return ErrorCode::kExists;
  if (target && same) return kDone;
  const std::string from_raw = Decode(from.name)->raw;
  if (source.file) {
    if (target.directory) return ErrorCode::kIsDirectory;
    if (target.file) DropFile(*to.directory, to_name->raw);
    from.directory->files.erase(from_raw);
    to.directory->files[to_name->raw] = source.file;
  } else {
    if (IsInside(to.directory, source.directory.get())) return ErrorCode::kInvalidArgument;
    if (target.file) return ErrorCode::kNotDirectory;
    if (target.directory && !target.directory->empty()) return ErrorCode::kNotEmpty;
    from.directory->directories.erase(from_raw);
    Attach(*to.directory, to_name->raw, source.directory);
  }
  from.directory->implicit = to.directory->implicit = false;
  return kDone;
}

void Bucket::Put(std::string_view text, std::string content, std::string tag) {
  const Key key = Split(text);
  Directory* at = &root_;
  for (const std::string& name : key.directories) {
    const auto found = at->directories.find(name);
    at = found != at->directories.end() ? found->second.get() : &AddDirectory(*at, name, true);
  }
  if (key.of_directory) at->implicit = false;
  if (key.of_directory && content.empty()) {
    if (at->files.contains("")) DropFile(*at, "");
    at->tag = std::move(tag);
    return;
  }
  auto file = std::make_shared<File>();
  file->content = std::move(content);
  file->tag = std::move(tag);
  if (const auto old = at->files.find(key.file); old != at->files.end()) {
    if (old->second->kind != fs::FileKind::kSymlink) {
      file->permissions = old->second->permissions & 01777;
    }
    for (const auto& [name, value] : old->second->xattrs) {
      if (!name.starts_with("user.")) file->xattrs[name] = value;
    }
    DropFile(*at, key.file);
  }
  if (key.of_directory) at->tag.clear();
  at->files[key.file] = std::move(file);
}

bool Bucket::Delete(std::string_view text) {
  const Key key = Split(text);
  Directory* const at = FindDirectory(text.substr(0, text.size() - key.file.size()));
  if (at == nullptr || at == (key.of_directory ? &root_ : nullptr)) return false;
  const bool has_file = at->files.contains(key.file);
  if (!key.of_directory && !has_file) return false;
  if (key.of_directory && !has_file && at->implicit) return false;
  if (has_file) DropFile(*at, key.file);
  if (key.of_directory) {
    at->implicit = true;
    at->tag.clear();
  }
  Vanish(at);
  return true;
}

std::optional<Shown> Bucket::Find(std::string_view text) {
  const Key key = Split(text);
  Directory* const at = FindDirectory(text.substr(0, text.size() - key.file.size()));
  if (at == nullptr || (key.of_directory && at == &root_)) return std::nullopt;
  if (const auto found = at->files.find(key.file); found != at->files.end()) {
    return Shown{found->second, nullptr};
  }
  if (!key.of_directory || at->implicit) return std::nullopt;
  return Shown{nullptr, at->parent->directories.at(at->name)};
}

std::map<std::string, std::uint64_t> Bucket::Keys() const {
  std::map<std::string, std::uint64_t> keys;
  const std::function<void(const Directory&, const std::string&)> visit =
      [&](const Directory& directory, const std::string& path) {
        if (!directory.implicit && !path.empty()) keys[path] = 0;
        for (const auto& [name, file] : directory.files) {
          keys[path + name] = file->kind == fs::FileKind::kRegular ? file->content.size() : 0;
        }
        for (const auto& [name, child] : directory.directories) visit(*child, path + name + "/");
      };
  visit(root_, "");
  return keys;
}

}  // namespace amphora::model
