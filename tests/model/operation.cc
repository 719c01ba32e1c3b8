#include "tests/model/operation.h"

#include <cctype>
#include <cstdlib>

namespace amphora::model {
namespace {

constexpr int kHandles = 4;

bool Plain(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
         std::string_view("/.@_-:,!").find(c) != std::string_view::npos;
}

std::string EncodeWord(const std::string& word) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  if (word.empty()) return "%";
  std::string text;
  for (const char c : word) {
    if (Plain(c)) {
      text.push_back(c);
    } else {
      const auto byte = static_cast<unsigned char>(c);
      text.append({'%', kHex[byte >> 4], kHex[byte & 15]});
    }
  }
  return text;
}

std::string DecodeWord(std::string_view text) {
  std::string word;
  if (text == "%") return word;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      word.push_back(
          static_cast<char>(std::strtol(std::string(text.substr(i + 1, 2)).c_str(), nullptr, 16)));
      i += 2;
    } else {
      word.push_back(text[i]);
    }
  }
  return word;
}

// Makes one random operation.
class Maker {
 public:
  Maker(std::mt19937_64& random, const Scene& scene) : random_(random), scene_(scene) {}

  Operation Make();

 private:
  std::size_t Below(std::size_t bound) { return random_() % bound; }
  bool OneIn(std::size_t n) { return Below(n) == 0; }
  template <typename List>
  const auto& Any(const List& list) {
    return list[Below(std::size(list))];
  }

  std::string RawName() {
    static const std::vector<std::string> kNames = {"a", "a", "a",  "b",  "b",
                                                    "",  ".", "..", "a!", "@amphora@f:a"};
    return Any(kNames);
  }
  std::string VisibleName() {
    if (OneIn(40)) return "@amphora@bad";
    const std::string raw = RawName();
    const bool directory = OneIn(2);
    return Encode(raw, directory, OneIn(5));
  }
  std::string Path(const Bucket& bucket) { return Any(bucket.DirectoryPaths()); }
  std::string KeyText(const Bucket& bucket) {
    if (!OneIn(3)) {
      const auto keys = bucket.Keys();
      if (!keys.empty() && OneIn(2)) return std::next(keys.begin(), Below(keys.size()))->first;
      std::string key = Path(bucket) + RawName();
      if (!key.empty()) return key;
    }
    std::string key;
    for (std::size_t i = Below(3); i > 0; --i) key += RawName() + "/";
    key += RawName();
    return key.empty() ? "a" : key;
  }
  std::string Content() {
    static const std::vector<std::string> kSizes = {"-", "1", "5", "100", "3000", "20000", "70000"};
    const std::string size = Any(kSizes);
    return size == "-" ? size : std::string(1, static_cast<char>('a' + Below(26))) + size;
  }
  std::string Number(std::size_t bound) { return std::to_string(Below(bound)); }

  Operation OfPosix(const std::string& at, const Bucket& bucket);
  Operation OfS3(const std::string& at, const Bucket& bucket);

  std::mt19937_64& random_;
  const Scene& scene_;
};

Operation Maker::OfPosix(const std::string& at, const Bucket& bucket) {
  const std::string path = Path(bucket);
  const std::string name = VisibleName();
  const auto with = [&](const char* verb, std::vector<std::string> more = {}) {
    Operation operation{{verb, at, path, name}};
    for (std::string& word : more) operation.words.push_back(std::move(word));
    return operation;
  };
  static const std::vector<std::string> kModes = {"replace", "replace", "noreplace", "exchange"};
  static const std::vector<std::string> kXattrs = {"user.x", "user.y", "trusted.t"};
  switch (Below(18)) {
    case 0:
    case 1:
      return with("mkdir");
    case 2:
    case 3:
      return with("create", {Content()});
    case 4:
      return with("write", {Content()});
    case 5:
    case 6:
      return with("unlink");
    case 7:
    case 8:
      return with("rmdir");
    case 9:
    case 10:
    case 11:
      return with("rename", {Path(bucket), VisibleName(), Any(kModes)});
    case 12:
      return with("link", {Path(bucket), VisibleName()});
    case 13:
      return with("symlink", {"to/" + name});
    case 14:
      return with("truncate", {OneIn(3) ? "20000" : Number(200)});
    case 15:
      return with("setxattr", {Any(kXattrs), Number(10)});
    case 16:
      return with("removexattr", {Any(kXattrs)});
    default:
      return with("chmod", {OneIn(2) ? "0700" : "0755"});
  }
}

Operation Maker::OfS3(const std::string& at, const Bucket& bucket) {
  const std::string key = KeyText(bucket);
  static const std::vector<std::string> kConditions = {"new", "same", "other"};
  switch (Below(18)) {
    case 12:
    case 13: {
      Operation upload{{"putparts", at, OneIn(8) ? key + "/" : key, "t" + Number(100)}};
      for (std::size_t parts = 1 + Below(4); parts > 0; --parts) upload.words.push_back(Content());
      return upload;
    }
    case 14:
    case 15:
      return {{"copy", at, key, Number(2), KeyText(bucket), OneIn(2) ? "-" : "t" + Number(100)}};
    case 16:
      return {{"putif", at, key, Content(), "t" + Number(100), Any(kConditions)}};
    case 17:
      return {{"deleteif", at, key, Any(kConditions)}};
    case 0:
    case 1:
    case 2:
    case 3:
      return {{"put", at, key, Content(), "t" + Number(100)}};
    case 4:
      return {{"put", at, key + "/", OneIn(2) ? "-" : Content(), "t" + Number(100)}};
    case 5:
      return {{"get", at, key}};
    case 6:
    case 7:
    case 8:
      return {{"delete", at, key}};
    case 9:
      return {{"deletemany", at, key, KeyText(bucket), KeyText(bucket), KeyText(bucket)}};
    default: {
      static const std::vector<std::string> kDelimiters = {"", "/", "/", "a", "!/"};
      const std::string prefix = OneIn(2) ? "" : key.substr(0, Below(key.size() + 1));
      const std::string after = OneIn(2) ? "" : KeyText(bucket);
      return {{"list", at, prefix, Any(kDelimiters), after, std::to_string(1 + Below(6))}};
    }
  }
}

Operation Maker::Make() {
  const std::size_t number = OneIn(6) ? Below(scene_.buckets.size()) : 0;
  const std::string at = std::to_string(number);
  Bucket* const bucket = scene_.buckets[number];
  if (bucket == nullptr) return {{"mkbucket", at}};
  if (OneIn(60)) return {{"rmbucket", at}};
  if (OneIn(250)) return {{"restart", at}};
  if (OneIn(100)) return {{"settle", at}};
  if (OneIn(8)) {
    const std::string handle = Number(kHandles);
    switch (Below(5)) {
      case 0:
      case 1:
        return {{"open", at, Path(*bucket), VisibleName(), handle}};
      case 2:
        return {{"hwrite", at, handle, Number(150), Content()}};
      case 3:
        return {{"hread", at, handle}};
      default:
        return {{"close", at, handle}};
    }
  }
  return OneIn(2) ? OfPosix(at, *bucket) : OfS3(at, *bucket);
}

}  // namespace

std::string ToText(const Operation& operation) {
  std::string text;
  for (const std::string& word : operation.words) {
    if (!text.empty()) text.push_back(' ');
    text += EncodeWord(word);
  }
  return text;
}

Operation ParseOperation(std::string_view line) {
  Operation operation;
  while (!line.empty()) {
    const std::size_t space = std::min(line.find(' '), line.size());
    if (space > 0) operation.words.push_back(DecodeWord(line.substr(0, space)));
    line.remove_prefix(std::min(space + 1, line.size()));
  }
  return operation;
}

std::string ContentOf(const std::string& word) {
  if (word.size() < 2) return "";
  return std::string(std::strtoul(word.c_str() + 1, nullptr, 10), word[0]);
}

Operation RandomOperation(std::mt19937_64& random, const Scene& scene) {
  return Maker(random, scene).Make();
}

}  // namespace amphora::model
